"""Starting a conversion, and its end."""

import getpass
import io
import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from cli.event_files.convert import error_of, run_conversion, show
from cli.platform.console import CliError
from cli.platform.session import Deployment
from tests.support.cli_environment import deployment

ARN = "arn:aws:states:eu-west-1:123456789012:execution:Convert:one"
COMMIT = {"files": 7, "events": 61, "rows": {"A_PRED": 60, "B_EVENT": 1}, "parquet_files": 9, "left_out": []}


class Machine:
    """Step Functions with executions that end as given, each when it is described for the second time."""

    def __init__(self, *ends: dict[str, Any], others: int = 0) -> None:
        self.ends, self.others, self.looks, self.begun = list(ends), others, 0, 0
        self.children: list[str] = []
        self.given: list[str] = []

    def start_execution(self, **request: str) -> dict[str, str]:
        self.given.append(request["input"])
        self.begun += 1
        return {"executionArn": ARN}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn in self.children:
            return {"cause": json.dumps({"errorMessage": "chunk 7 does not exist"})}
        self.looks += 1
        return {"status": "RUNNING"} if self.looks % 2 else self.ends.pop(0)

    def list_executions(self, **request: Any) -> dict[str, Any]:
        if "mapRunArn" in request:
            return {"executions": [{"executionArn": child} for child in self.children[: request["maxResults"]]]}
        self.others -= 1
        return {"executions": ["another"] if self.others >= 0 else []}

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        names = [("FailStateEntered", "Conversion failed"), ("MapStateEntered", "Convert the batches")]
        details = [{"name": name, "input": '{"run_id": "r9"}'} for _, name in names]
        entered = [
            {"type": kind, "stateEnteredEventDetails": each} for (kind, _), each in zip(names, details, strict=True)
        ]
        return {"events": [{"type": "ExecutionFailed"}, *entered]}

    def list_map_runs(self, **_: str) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": "the-map"}] if self.children else []}

    def describe_map_run(self, **_: str) -> dict[str, Any]:
        return {"itemCounts": {"failed": 2, "total": 15}}


class Lake:
    """S3 that holds one commit."""

    def get_object(self, **request: str) -> dict[str, Any]:
        assert request == {"Bucket": "the-lake", "Key": "runs/r1/commit.json"}
        return {"Body": io.BytesIO(json.dumps(COMMIT).encode()), "ETag": "e"}


def stage_with(client: Machine, endpoint: str | None = None) -> Deployment:
    outputs = {"ConvertMachine": "the-machine", "LakeBucket": "the-lake"}
    return deployment(stepfunctions=client, s3=Lake(), endpoint=endpoint, outputs=outputs)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.platform.machine.time.sleep", lambda _: None)


def ended(**output: Any) -> dict[str, Any]:
    return {"status": "SUCCEEDED", "output": json.dumps(output)}


FAILED = {"status": "FAILED", "error": "CountMismatch", "cause": json.dumps({"errorMessage": "61 in, 60 out"})}


def test_the_figures_of_a_converted_run_are_those_of_its_commit() -> None:
    stage = stage_with(Machine(ended(status="planned", run_id="r1")))
    found, outcome = run_conversion(stage, 5)
    assert asdict(found) == {"run_id": "r1", "status": "converted", **COMMIT, "seconds": found.seconds}
    assert error_of(stage, found, outcome) is None


def test_chunks_that_were_left_out_are_named_and_the_work_is_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    stage = stage_with(Machine(ended(status="planned", run_id="r1")))
    found, outcome = run_conversion(stage, 5)
    lost = {"chunk_id": "c7", "files": 2, "events": 11, "reason": "s3://lake/c7.jsonl does not exist"}
    found = replace(found, left_out=[lost])
    error = error_of(stage, found, outcome)
    assert error is not None
    assert error.message.endswith("Chunk c7: s3://lake/c7.jsonl does not exist")
    assert "sluice ingest --again" in error.hint
    show(found)
    assert "chunk c7 (2 files, 11 events): s3://lake/c7.jsonl does not exist" in capsys.readouterr().out


def test_nothing_to_do_is_no_failure() -> None:
    stage = stage_with(Machine(ended(status="nothing_to_do", run_id=None)))
    found, outcome = run_conversion(stage, 5)
    assert (found.status, found.rows, error_of(stage, found, outcome)) == ("nothing_to_do", {}, None)


def test_a_busy_machine_is_waited_for_and_started_again() -> None:
    client = Machine(ended(status="busy", run_id="r0"), ended(status="planned", run_id="r1"), others=3)
    found, _ = run_conversion(stage_with(client), 5)
    assert (found.status, client.begun, client.others) == ("converted", 2, -1)


def test_a_machine_that_stays_busy_is_a_failure() -> None:
    client = Machine(*[ended(status="busy", run_id="r0")] * 5)
    found, outcome = run_conversion(stage_with(client), 5)
    assert (found.status, client.begun) == ("busy", 3)
    assert error_of(stage_with(client), found, outcome) is not None


def test_the_error_of_a_failed_run_names_state_cause_and_console() -> None:
    stage = stage_with(Machine(FAILED))
    found, outcome = run_conversion(stage, 5)
    error = error_of(stage, found, outcome)
    assert found.status == "failed"
    assert error is not None
    assert error.message == "The conversion failed in 'Convert the batches': 61 in, 60 out"
    assert f"https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{ARN}" in (
        error.hint
    )


def test_the_cause_of_a_failed_map_is_that_of_an_item() -> None:
    client = Machine(FAILED)
    client.children = ["child-1", "child-2"]
    found, outcome = run_conversion(stage_with(client), 5)
    assert outcome.cause == "2 of 15 items failed, one of them with: chunk 7 does not exist"
    assert found.run_id == "r9"


def test_the_local_cloud_has_no_console() -> None:
    stage = stage_with(Machine(FAILED), "http://localhost:4566")
    error = error_of(stage, *run_conversion(stage, 5))
    assert error is not None
    assert "console.aws" not in error.hint
    assert ARN in error.hint


def test_an_execution_that_takes_too_long_is_left_running() -> None:
    client = Machine()
    client.looks = -(10**9)
    client.describe_execution = lambda **_: {"status": "RUNNING"}  # type: ignore[method-assign]
    with pytest.raises(CliError, match=r"still runs.*one"):
        run_conversion(stage_with(client), 0.05)


def test_the_operator_is_in_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Machine(*[ended(status="nothing_to_do")] * 2)
    for user in (lambda: "ann", _no_name):
        monkeypatch.setattr(getpass, "getuser", user)
        run_conversion(stage_with(client), 5)
    assert [json.loads(given)["started_by"] for given in client.given] == ["hand: ann", "hand: unknown"]


def _no_name() -> str:
    raise KeyError
