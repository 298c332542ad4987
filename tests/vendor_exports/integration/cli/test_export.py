"""`sluice export`: the execution it starts, and what it prints about its end."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import Result

from cli.platform import machine
from cli.platform.machine import Outcome
from cli.platform.session import Deployment
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Export, ExportResult, Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from tests.support.cli_environment import sluice

ARN = "arn:aws:states:eu-west-1:1:execution:x-export:e"
Ended = Callable[..., None]

SLOT = Slot(datetime(2024, 5, 14, 11, tzinfo=UTC))
FOLDER = "DEV/IMOSDL/Hourly/20240514/11/"
BEGUN = {"decision": "trigger", "export": {"slot": str(SLOT)}}
WHOLE = ExportResult(str(SLOT), "delivered", FOLDER, promised=3, copied=3, refetched=1, bytes=2_500_000)
LACKING = ExportResult(
    str(SLOT), "incomplete", FOLDER, 3, 2, 0, 9, ["a[b]"], ["Voyage"], {"a[b]": "the server answered 404"}, "1 of 3"
)


@pytest.fixture
def ended(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> Ended:
    """Let the execution have ended so: moto runs no machines without packages of its own."""
    stage.outputs["ExportMachine"] = "the-machine"

    def ended(
        entered: dict[str, Any], result: ExportResult | None = None, cause: str = "", end: str = "Incomplete"
    ) -> None:
        outcome = Outcome(ARN, not cause, entered, cause=cause, end=end if cause else "")
        monkeypatch.setattr(machine, "run", lambda *_: outcome)
        if result:
            slots, lease = DynamoSlots(stage.dynamodb, "the-slots"), Export(Environment.TEST, SLOT, "me")
            slots.claim(lease, "", SLOT.hour, SLOT.hour)
            slots.close(lease, result)

    return ended


def run(*arguments: str, code: int = 1) -> Result:
    return sluice("export", "--stage", "dev", *arguments, code=code)


def test_a_delivery_as_json(ended: Ended) -> None:
    ended(BEGUN, WHOLE)
    done = run("--json", code=0)
    found = json.loads(done.stdout)
    assert found.pop("seconds") >= 0
    assert found == asdict(WHOLE) | {"execution": ARN}


def test_a_delivery_as_text(ended: Ended) -> None:
    ended(BEGUN, WHOLE)
    shown = run(code=0).stdout
    assert f"Slot {SLOT}: delivered, 3 of 3 promised files copied, 1 of them by a second URL, 2.5 MB" in shown
    assert FOLDER in shown


def test_missing_files_are_named_with_reason_and_remedy(ended: Ended) -> None:
    ended(BEGUN, LACKING, "1 of 3")
    done = run()
    assert "a[b]" in done.stdout
    assert "the server answered 404" in done.stdout
    assert f"Slot {SLOT} is incomplete: 1 of 3." in done.stderr
    assert f"sluice export --slot {SLOT}" in done.stderr
    assert json.loads(run("--json").stdout)["missing"] == ["a[b]"]


def test_a_slot_that_another_run_has_is_skipped(ended: Ended) -> None:
    ended({**BEGUN, "decision": "busy"})
    done = run("--json")
    assert json.loads(done.stdout)["status"] == "skipped"
    assert "another run has the slot" in done.stderr


def test_without_the_secret_it_says_where_to_put_it(ended: Ended) -> None:
    ended({**BEGUN, "decision": "not_set_up"})
    done = run("--json")
    assert json.loads(done.stdout)["status"] == "not_set_up"
    assert "Nothing was asked of the vendor: its secret is not put in yet." in done.stderr
    assert "put-secret-value --secret-id the-secret" in " ".join(done.stderr.split())


def test_an_export_that_was_not_begun_says_why(ended: Ended) -> None:
    ended({}, None, "export 20200101-00: there is no job")
    done = run()
    assert "The export was not begun: export 20200101-00: there is no job" in done.stderr


def test_a_delivery_whose_histories_failed_is_an_error(ended: Ended) -> None:
    ended(BEGUN, WHOLE, "no room", "Histories not updated")
    done = run()
    assert "Error: Histories not updated: no room" in done.stderr


def test_a_failed_run_after_a_delivery_is_incomplete(ended: Ended) -> None:
    ended(BEGUN, WHOLE, "export 1, status: the vendor answered 404.")
    done = run("--json")
    found = json.loads(done.stdout)
    assert (found["status"], found["promised"], found["copied"]) == ("incomplete", 3, 0)
    assert f"Slot {SLOT} is incomplete: export 1, status: the vendor answered 404.\n  docs/runbook.md" in done.stderr


def test_an_interrupted_command_names_the_execution_that_goes_on(stage: Deployment) -> None:
    given: dict[str, str] = {}

    def start(**request: str) -> dict[str, str]:
        given.update(json.loads(request["input"]))
        return {"executionArn": ARN}

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    stage.outputs["ExportMachine"] = "the-machine"
    stage.__dict__["stepfunctions"] = SimpleNamespace(start_execution=start, describe_execution=interrupt)
    done = run("--json", "--slot", str(SLOT))
    assert f"Interrupted; the execution goes on by itself: {ARN}" in json.loads(done.stdout)["error"]
    assert set(given) == {"started_by", "slot"}
    assert given["slot"] == str(SLOT)


@pytest.mark.parametrize("slot", ["2024051411", "20240514-24"])
def test_an_invalid_slot_is_refused(slot: str) -> None:
    done = run("--slot", slot)
    assert f"{slot!r} is no slot" in done.stderr.replace("\n", " ")


def test_only_the_local_cloud_takes_another_vendor_and_has_none_of_its_own(stage: Deployment) -> None:
    assert "Only a stage in the local cloud" in run("--vendor-url", "http://127.0.0.1:1").stderr
    stage.local = True  # whatever the stage's name
    assert "sluice vendor" in run().stderr
    for elsewhere in ("http://10.0.0.1", "http://169.254.169.254/x", "https://evil.example", "ftp://localhost", "x:1"):
        assert f"--vendor-url {elsewhere}: its URL" in run("--vendor-url", elsewhere).stderr
