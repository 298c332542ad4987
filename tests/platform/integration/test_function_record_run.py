"""record_run: messages that tell of ends become records, one by one."""

import json
from typing import Any

import pytest

from sluice.aws import clients
from sluice.runs.records_s3 import S3RunRecords
from tests.platform.unit.runs.recorded import KINDS, recorded
from tests.platform.unit.runs.test_recording import COMMIT, RUN
from tests.support.functions import Handler, load
from tests.support.step_functions import RecordedStepFunctions
from tests.support.world import LAKE, World

MACHINES = {f"{kind.value.upper()}_MACHINE": machine for machine, kind in KINDS.items()}


@pytest.fixture
def handler(world: World, monkeypatch: pytest.MonkeyPatch) -> Handler:
    world.s3.put_object(Bucket=LAKE, Key=f"runs/{RUN}/commit.json", Body=json.dumps(COMMIT).encode())
    client = RecordedStepFunctions()
    monkeypatch.setattr(clients, "step_functions", lambda: client)
    return load("record_run", monkeypatch, **MACHINES)


def message(name: str, **detail: str) -> dict[str, Any]:
    described = recorded(name).described
    told = {key: described[key] for key in ("executionArn", "stateMachineArn", "status")} | detail
    return {"messageId": name, "body": json.dumps({"source": "aws.states", "detail": told})}


def again(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """Return what was counted, by pipeline."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {line["pipeline"]: line for line in lines}


def test_every_end_leaves_a_record(handler: Handler, world: World) -> None:
    names = ["convert_converted", "export_delivered", "export_aborted", "history_failed"]
    assert again(handler({"Records": [message(name) for name in names]})) == []
    records = S3RunRecords(world.s3, LAKE)
    keys = world.keys("data/run_records/")
    found = [records.find(key.rpartition("/")[2].removesuffix(".json")) for key in keys]
    assert sorted(each.execution for each in found if each) == sorted(recorded(name).arn for name in names)


def test_the_same_end_twice_changes_nothing(handler: Handler, world: World) -> None:
    handler({"Records": [message("convert_converted")]})
    (key,) = world.keys("data/run_records/")
    before = world.s3.get_object(Bucket=LAKE, Key=key)["Body"].read()
    handler({"Records": [message("convert_converted"), message("convert_converted")]})
    assert world.keys("data/run_records/") == [key]
    assert world.s3.get_object(Bucket=LAKE, Key=key)["Body"].read() == before


def test_items_of_a_map_leave_none(handler: Handler, world: World) -> None:
    child = message("convert_converted", stateMachineArn=f"{MACHINES['CONVERT_MACHINE']}/ConvertTheBatches")
    assert again(handler({"Records": [child]})) == []
    assert world.keys("data/run_records/") == []


def test_one_that_cannot_be_recorded_comes_again_alone(handler: Handler, world: World) -> None:
    """Its execution is not known (yet), or the message is none."""
    unknown = message("export_delivered", executionArn="arn:aws:states:us-east-1:1:execution:m:gone")
    senseless = {"messageId": "senseless", "body": "{"}
    answer = handler({"Records": [unknown, senseless, message("convert_nothing_to_do")]})
    assert again(answer) == ["export_delivered", "senseless"]
    assert len(world.keys("data/run_records/")) == 1


def test_why_a_batch_failed_is_in_the_record(handler: Handler, world: World) -> None:
    handler({"Records": [message("convert_failed")]})
    (key,) = world.keys("data/run_records/")
    found = S3RunRecords(world.s3, LAKE).find(key.rpartition("/")[2].removesuffix(".json"))
    assert found
    assert found.cause == "2 of 15 items failed, one of them with: chunk 7 does not exist"


def test_what_it_measures_is_counted_for_the_machines_pipeline(
    handler: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler({"Records": [message("convert_failed"), message("export_step_failed")]})
    found = metrics(capsys)
    assert found["event_files"]["Retries"] == [1]
    assert found["exports"]["Retries"] == [3]
    assert len(found["exports"]["JobSeconds"]) == 1
    assert "CopySeconds" not in found["exports"], "it did not come to the proof"


def test_what_did_not_happen_is_not_counted(handler: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    handler({"Records": [message("convert_converted"), message("export_delivered")]})
    found = metrics(capsys)
    assert found["event_files"].keys().isdisjoint({"Retries", "JobSeconds", "CopySeconds"})
    assert {"JobSeconds", "CopySeconds"} <= found["exports"].keys()
    assert "Retries" not in found["exports"]
