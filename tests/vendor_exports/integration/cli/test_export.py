"""`sluice export`: the execution it starts, and what it prints about its end."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import Result

from cli.platform.session import Deployment
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.model import Export, ExportResult
from sluice.vendor_exports.delivery.slots import Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from tests.support.cli_environment import sluice

SLOT = Slot(datetime(2024, 5, 14, 11, tzinfo=UTC))
FOLDER = "DEV/IMOSDL/Hourly/20240514/11/"
BEGUN = {"decision": "trigger", "export": {"slot": str(SLOT)}}
WHOLE = ExportResult(str(SLOT), "delivered", FOLDER, promised=3, copied=3, refetched=1, bytes=2_500_000)
LACKING = ExportResult(
    str(SLOT), "incomplete", FOLDER, 3, 2, 0, 9, ["a[b]"], ["Voyage"], {"a[b]": "the server answered 404"}, "1 of 3"
)


class EndedExecution:
    """Step Functions with one execution, which has ended: moto runs no machines without packages of its own."""

    def __init__(self, entered: dict[str, Any], cause: str = "", end: str = "Incomplete") -> None:
        self.entered, self.cause, self.end = json.dumps(entered), cause, end

    def start_execution(self, **_: Any) -> dict[str, Any]:
        return {"executionArn": "arn:aws:states:eu-west-1:1:execution:x-export:e"}

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        if self.cause:
            return {"status": "FAILED", "error": "Incomplete", "cause": self.cause}
        return {"status": "SUCCEEDED", "output": self.entered}

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        entered = {"name": "How did it end?", "input": self.entered}
        events = [
            {"type": "FailStateEntered", "stateEnteredEventDetails": {"name": self.end}},
            {"type": "ChoiceStateExited"},
            {"type": "ChoiceStateEntered", "stateEnteredEventDetails": entered},
        ]
        return {"events": events if self.cause else events[1:]}

    def list_map_runs(self, **_: Any) -> dict[str, Any]:
        return {"mapRuns": []}


def ended(stage: Deployment, entered: dict[str, Any], cause: str = "", end: str = "Incomplete") -> None:
    stage.outputs["ExportMachine"] = "arn:aws:states:eu-west-1:1:stateMachine:x-export"
    stage.__dict__["stepfunctions"] = EndedExecution(entered, cause, end)


def record(stage: Deployment, result: ExportResult) -> None:
    slots, lease = DynamoSlots(stage.dynamodb, "the-slots"), Export(Environment.TEST, SLOT, "me")
    slots.claim(lease, "", SLOT.hour, SLOT.hour)
    slots.close(lease, result)


def run(*arguments: str, code: int = 1) -> Result:
    return sluice("export", "--stage", "x", *arguments, code=code)


def test_a_delivery_as_json(stage: Deployment) -> None:
    ended(stage, BEGUN)
    record(stage, WHOLE)
    done = run("--json", code=0)
    found = json.loads(done.stdout)
    assert found.pop("seconds") >= 0
    assert found.pop("execution").startswith("arn:aws:states:")
    assert found == asdict(WHOLE)
    assert found["status"] == "delivered"


def test_a_delivery_as_text(stage: Deployment) -> None:
    ended(stage, BEGUN)
    record(stage, WHOLE)
    shown = run(code=0).stdout
    assert f"Slot {SLOT}: delivered, 3 of 3 promised files copied, 1 of them by a second URL, 2.5 MB" in shown
    assert FOLDER in shown


def test_missing_files_are_named_with_reason_and_remedy(stage: Deployment) -> None:
    ended(stage, BEGUN, "1 of 3")
    record(stage, LACKING)
    done = run()
    assert "a[b]" in done.stdout
    assert "the server answered 404" in done.stdout
    assert f"Slot {SLOT} is incomplete: 1 of 3." in done.stderr
    assert f"sluice export --slot {SLOT}" in done.stderr
    assert json.loads(run("--json").stdout)["missing"] == ["a[b]"]


def test_a_slot_that_another_run_has_is_skipped(stage: Deployment) -> None:
    ended(stage, {**BEGUN, "decision": "busy"})
    done = run("--json")
    assert json.loads(done.stdout)["status"] == "skipped"
    assert "another run has the slot" in done.stderr


def test_an_export_that_was_not_begun_says_why(stage: Deployment) -> None:
    ended(stage, {}, json.dumps({"errorMessage": "export 20200101-00: there is no job"}))
    done = run()
    assert "The export was not begun: export 20200101-00: there is no job" in done.stderr


def test_a_delivery_whose_histories_failed_is_an_error(stage: Deployment) -> None:
    ended(stage, BEGUN, "no room", "Histories not updated")
    record(stage, WHOLE)
    done = run()
    assert "Error: Histories not updated: no room" in done.stderr


def test_a_failed_run_after_a_delivery_is_incomplete(stage: Deployment) -> None:
    ended(stage, BEGUN, "export 1, status: the vendor answered 404.")
    record(stage, WHOLE)
    done = run("--json")
    found = json.loads(done.stdout)
    assert (found["status"], found["promised"], found["copied"]) == ("incomplete", 3, 0)
    assert f"Slot {SLOT} is incomplete: export 1, status: the vendor answered 404.\n  docs/runbook.md" in done.stderr


def test_an_interrupted_command_names_the_execution_that_goes_on(stage: Deployment) -> None:
    ended(stage, BEGUN)

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    vars(stage.stepfunctions)["describe_execution"] = interrupt
    done = run("--json")
    assert "Interrupted; the execution goes on by itself: arn:" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize("slot", ["2024051411", "20240514-24"])
def test_an_invalid_slot_is_refused(slot: str) -> None:
    done = run("--slot", slot)
    assert f"{slot!r} is no slot" in done.stderr.replace("\n", " ")


def test_only_the_local_stage_takes_another_vendor_and_has_none_of_its_own(stage: Deployment) -> None:
    assert "Only the local stage" in run("--vendor-url", "http://127.0.0.1:1").stderr
    object.__setattr__(stage, "stage", "local")
    assert "sluice vendor" in run().stderr
    for elsewhere in ("http://10.0.0.1", "http://169.254.169.254/x", "https://evil.example", "ftp://localhost", "x:1"):
        assert f"--vendor-url {elsewhere}: its URL" in run("--vendor-url", elsewhere).stderr
