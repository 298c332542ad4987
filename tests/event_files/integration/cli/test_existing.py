"""`sluice ingest --existing` against S3, SQS and DynamoDB."""

import json
from typing import Any

import pytest

from cli.platform.session import Deployment
from sluice.aws.runtime import to_dynamodb
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.announcements import announced_objects
from tests.support.cli_environment import sluice, sluice_json

KEYS = [f"orders/{number:04}+a b.gz" for number in range(123)]


@pytest.fixture
def etags(stage: Deployment) -> dict[str, str]:
    """Objects that were there before: orders, of which some are known, and ships."""
    found = {}
    for key in [*KEYS, "ships/1"]:
        found[key] = stage.s3.put_object(Bucket="the-source", Key=key, Body=b"10045")["ETag"].strip('"')
    return found


def record(stage: Deployment, key: str, etag: str, status: str) -> None:
    item = {"pk": f"source#the-source/{key}", "sk": etag, "status": status}
    stage.dynamodb.put_item(TableName="the-ledger", Item=to_dynamodb(item))


def announced(stage: Deployment) -> list[SourceObject]:
    """Take everything out of the queue."""
    found: list[SourceObject] = []
    queue = stage.output("QueueUrl")
    while messages := stage.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found += announced_objects(message["Body"])
            stage.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_every_object_below_the_prefix_is_announced_once_unless_it_is_known(
    stage: Deployment, etags: dict[str, str]
) -> None:
    record(stage, KEYS[0], etags[KEYS[0]], "validated")
    record(stage, KEYS[1], "another content", "validated")
    record(stage, KEYS[2], etags[KEYS[2]], "gone")
    found = sluice_json("ingest", "--existing", "orders/")
    assert (found["objects"], found["known"], found["taken"], found["archived"]) == (123, 1, 122, 0)
    assert found["bytes"] == 5 * 122
    sources = announced(stage)
    assert sorted(sources, key=lambda each: each.key) == [
        SourceObject("the-source", key, etags[key]) for key in KEYS[1:]
    ], "keys as they are, whatever they hold"


def test_a_dry_run_counts_and_names_the_cost_and_announces_nothing(stage: Deployment, etags: dict[str, str]) -> None:
    assert etags
    found = sluice_json("ingest", "--existing", "", "--dry-run")
    assert (found["objects"], found["taken"], found["bytes"]) == (124, 124, 5 * 124)
    assert 0.00005 < found["dollars"] < 0.01
    assert "124 objects would be taken in, 620 B: under $0.01" in sluice("ingest", "--existing", "", "--dry-run").stdout
    assert not announced(stage)


def test_archived_objects_are_named_and_left(stage: Deployment) -> None:
    for key, kind in {"a": "GLACIER", "b": "STANDARD_IA"}.items():
        stage.s3.put_object(Bucket="the-source", Key=key, Body=b"x", StorageClass=kind)  # type: ignore[arg-type]
    found = sluice_json("ingest", "--existing", "")
    assert (found["taken"], found["archived"]) == (1, 1)
    assert [each.key for each in announced(stage)] == ["b"]


@pytest.mark.parametrize(
    ("asked", "taken"), [("", ["in/a/1", "in/b/1"]), ("in/", ["in/a/1", "in/b/1"]), ("in/a/1", ["in/a/1"])]
)
def test_only_what_the_stage_takes_is_taken_in(stage: Deployment, asked: str, taken: list[str]) -> None:
    stage.outputs["SourcePrefixes"] = json.dumps(["in/a/", "in/b/"])
    for key in ("in/a/1", "in/b/1", "in/c/1", "out/1"):
        stage.s3.put_object(Bucket="the-source", Key=key, Body=b"x")
    assert sluice_json("ingest", "--existing", asked)["taken"] == len(taken)
    assert sorted(each.key for each in announced(stage)) == taken
    assert "takes nothing below 'out/'" in sluice("ingest", "--existing", "out/", code=1).stderr


def test_a_message_that_the_queue_does_not_take_fails_the_command(stage: Deployment, etags: dict[str, str]) -> None:
    assert etags

    class Refusing:
        def send_message_batch(self, **_: Any) -> Any:
            return {"Failed": [{"Id": "0", "Message": "throttled"}]}

    stage.__dict__["sqs"] = Refusing()
    refused = sluice("ingest", "--existing", "orders/", code=1).stderr
    assert "throttled" in refused
    assert "Run the same command again" in refused


@pytest.mark.parametrize("arguments", [[], ["x", "--existing", "a"], ["--dry-run"]])
def test_what_to_take_in_has_to_be_clear(stage: Deployment, arguments: list[str]) -> None:
    assert stage
    assert "not clear what to take in" in sluice("ingest", *arguments, code=1).stderr
