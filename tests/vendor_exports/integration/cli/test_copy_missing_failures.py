"""Failures while `sluice history copy-missing` copies, and the state they leave."""

import time

import pytest

from cli.platform.session import Deployment
from cli.vendor_exports import copy_missing
from sluice.vendor_exports.delivery.model import MANIFEST
from tests.vendor_exports.integration.cli.conditional_s3 import ConditionalS3, failing
from tests.vendor_exports.integration.cli.copy_missing_command import (
    FOLDER,
    NAMES,
    SIGNED,
    found,
    lake,
    put,
    run,
    states,
)


def test_an_interrupted_copy_is_completed_by_the_next(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    s3.before_copy("Voyage_1", failing("SlowDown"))
    document = found("--yes", code=1)
    assert list(document["failed"]) == [f"{FOLDER}Voyage_1", FOLDER + MANIFEST]
    assert "SlowDown" in document["failed"][f"{FOLDER}Voyage_1"]
    assert (document["files"], document["bytes"], list(lake(s3))) == (1, 2, [f"{FOLDER}Port_1"])
    s3.before_copy("Voyage_1", lambda: None)
    assert states(found()) == {"20260131-23": "partial"}
    assert found("--yes")["files"] == 2
    assert len(lake(s3)) == 3


def test_failed_files_are_named_with_the_reason(s3: ConditionalS3) -> None:
    put(s3, "Voyage_1")
    s3.before_copy("Voyage_1", lambda: put(s3, "Voyage_1", body=b"changed"))
    result = run("--yes", code=1)
    assert f"failed {FOLDER}Voyage_1: the source's file changed since it was listed" in result.stderr
    assert lake(s3) == {}


def test_a_lost_answer_is_no_failure(s3: ConditionalS3) -> None:
    put(s3, "Voyage_1")
    s3.after = failing("PreconditionFailed")
    assert found("--yes")["failed"] == {}


@pytest.mark.parametrize(
    ("name", "failed", "state"), [("Port_1", ["Port_1", MANIFEST], "differing"), (MANIFEST, [MANIFEST], "same")]
)
@pytest.mark.parametrize("body", [b"another", b"21"])
def test_a_file_that_appears_meanwhile_is_not_replaced(
    s3: ConditionalS3, name: str, failed: list[str], state: str, body: bytes
) -> None:
    put(s3, *NAMES)
    s3.before_copy(name, lambda: put(s3, name, bucket="the-lake", body=body))
    assert list(found("--yes", code=1)["failed"]) == [FOLDER + each for each in failed]
    assert lake(s3)[FOLDER + name] == body
    assert states(found()) == {"20260131-23": state}


@pytest.mark.parametrize("changed", [SIGNED + b" ", None])
def test_a_manifest_that_changed_since_it_was_listed_is_not_taken(s3: ConditionalS3, changed: bytes | None) -> None:
    put(s3, *NAMES)

    def change() -> None:
        if changed is None:
            s3.delete_object(Bucket="the-other", Key=FOLDER + MANIFEST)
        else:
            put(s3, MANIFEST, body=changed)

    s3.before_copy("Port_1", change)
    assert list(found("--yes", code=1)["failed"]) == [FOLDER + MANIFEST]
    assert sorted(lake(s3)) == [f"{FOLDER}Port_1", f"{FOLDER}Voyage_1"]
    assert found("--yes")["failed"] == {}
    assert states(found()) == {"20260131-23": "same"}


def test_a_slot_that_changed_since_the_comparison_is_left_alone(s3: ConditionalS3, stage: Deployment) -> None:
    put(s3, *NAMES)
    planned = copy_missing.find_missing(stage, "s3://the-other", None, None)
    put(s3, "Cargo_9", bucket="the-lake")
    outcomes = copy_missing.copy_found(stage, planned).failed
    assert len(outcomes) == 3
    assert "the slot's folder changed since" in outcomes[0].problem
    assert list(lake(s3)) == [f"{FOLDER}Cargo_9"]


@pytest.mark.parametrize(("seconds", "copied"), [(600, 0), (-600, 3)])
def test_a_slot_that_an_export_works_on_is_left_alone(
    s3: ConditionalS3, stage: Deployment, seconds: int, copied: int
) -> None:
    put(s3, *NAMES)
    item = {"pk": {"S": "Test"}, "sk": {"S": "20260131-23"}, "execution": {"S": "an execution"}}
    lease = {"lease_until": {"N": str(int(time.time()) + seconds)}}
    stage.dynamodb.put_item(TableName="the-slots", Item={**item, **lease})
    document = found("--yes", code=0 if copied else 1)
    assert (document["files"], len(lake(s3)), len(document["failed"])) == (copied, copied, 3 - copied)


def test_expired_credentials_end_the_command(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    s3.before_copy("Voyage_1", failing("ExpiredToken"))
    result = run("--yes", code=1)
    assert "does not accept the credentials" in result.stderr
