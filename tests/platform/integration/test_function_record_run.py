"""record_run: each message that announces the end of an execution becomes a record."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from sluice.aws import runtime
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RunRecords
from tests.platform.unit.runs.recorded_executions import KINDS, NAMES, RecordedStepFunctions, recorded
from tests.platform.unit.runs.test_recording import COMMIT, RUN
from tests.support.lake_tables import rows_of
from tests.support.lambda_handlers import Handler, emitted, load_handler
from tests.support.moto.aws_calls import AwsUnavailableError
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage

MACHINES = {kind.name: machine for machine, kind in KINDS.items()}


@pytest.fixture
def handler(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Handler:
    moto_stage.s3.put_object(Bucket=LAKE, Key=f"runs/{RUN}/commit.json", Body=json.dumps(COMMIT).encode())
    client = RecordedStepFunctions(*map(recorded, NAMES))
    monkeypatch.setattr(runtime, "step_functions", lambda: client)
    runtime.sns.cache_clear()
    topic = boto3.client("sns").create_topic(Name="topic")["TopicArn"]
    return load_handler("record_run", monkeypatch, PIPELINE="platform", MACHINES=json.dumps(MACHINES), TOPIC=topic)


def message(name: str, **detail: str) -> dict[str, Any]:
    described = recorded(name).described
    detail = {key: described[key] for key in ("executionArn", "stateMachineArn", "status")} | detail
    return {"messageId": name, "body": json.dumps({"source": "aws.states", "detail": detail})}


def again(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """Return what was counted, by pipeline."""
    return {line["pipeline"]: line for line in emitted(capsys.readouterr().out)}


def test_every_end_leaves_a_record(handler: Handler, moto_stage: MotoStage) -> None:
    names = ["convert_converted", "export_delivered", "export_aborted", "history_failed"]
    assert again(handler({"Records": [message(name) for name in names]})) == []
    records = RunRecords(moto_stage.lake, RUN_KINDS)
    keys = moto_stage.keys("data/run_records/")
    found = [records.find(key.rpartition("/")[2].removesuffix(".json")) for key in keys]
    arns = sorted(recorded(name).arn for name in names)
    assert sorted(each.execution for each in found if each) == arns
    assert sorted(row["execution"] for row in rows_of(LAKE)["RUNS"]) == arns


def test_the_same_end_twice_changes_nothing(handler: Handler) -> None:
    handler({"Records": [message("convert_converted")]})
    before = objects_of(LAKE, "data/run_records/")
    handler({"Records": [message("convert_converted"), message("convert_converted")]})
    assert objects_of(LAKE, "data/run_records/") == before
    (body,) = before.values()
    assert body.endswith(b"\n")
    assert body.count(b"\n") == 1


def test_ends_that_are_no_rows_yet_come_again_and_count_once(
    handler: Handler, moto_stage: MotoStage, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = {"Records": [message("convert_failed"), message("export_step_failed")]}

    def refuse(operation: str, call: Callable[[], Any]) -> Any:
        if operation == "GetTable":
            raise AwsUnavailableError
        return call()

    with moto_stage.calls.intercept(refuse):
        assert again(handler(ends)) == ["convert_failed", "export_step_failed"]
    assert not any("Retries" in counted for counted in metrics(capsys).values())
    assert again(handler(ends)) == []
    assert metrics(capsys)["event_files"]["Retries"] == [1]
    assert len(rows_of(LAKE)["RUNS"]) == 2


def test_a_run_that_failed_is_told(handler: Handler) -> None:
    handler({"Records": [message("convert_converted"), message("export_delivered"), message("export_step_failed")]})
    backend = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    ((_, body, subject, *_),) = [each for topic in backend.topics.values() for each in topic.sent_notifications]
    assert str(subject).startswith("Sluice test: export incomplete, started ")
    assert "Cause:   " in json.loads(body)["email"]


def test_items_of_a_map_leave_no_record(handler: Handler, moto_stage: MotoStage) -> None:
    child = message("convert_converted", stateMachineArn=f"{MACHINES['convert']}/ConvertTheBatches")
    assert again(handler({"Records": [child]})) == []
    assert moto_stage.keys("data/run_records/") == []


def test_a_message_that_cannot_be_recorded_comes_again_alone(handler: Handler, moto_stage: MotoStage) -> None:
    unknown = message("export_delivered", executionArn="arn:aws:states:us-east-1:1:execution:m:gone")
    senseless = {"messageId": "senseless", "body": "{"}
    answer = handler({"Records": [unknown, senseless, message("convert_nothing_to_do")]})
    assert again(answer) == ["export_delivered", "senseless"]
    assert len(moto_stage.keys("data/run_records/")) == 1


def test_metrics_of_a_run_have_its_pipeline(handler: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    handler({"Records": [message("convert_failed"), message("export_step_failed")]})
    found = metrics(capsys)
    assert found["event_files"]["Retries"] == [1]
    assert found["vendor_exports"]["Retries"] == [3]
    assert len(found["vendor_exports"]["JobSeconds"]) == 1
    assert "CopySeconds" not in found["vendor_exports"], "it did not come to the check"
    handler({"Records": [message("convert_converted"), message("export_delivered")]})
    assert metrics(capsys)["vendor_exports"].keys().isdisjoint({"Retries"})
