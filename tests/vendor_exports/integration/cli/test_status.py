"""Vendor exports in `sluice status`: the last slots."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from cli.platform.session import Deployment
from cli.vendor_exports.status import ExportedSlot, status
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Export, ExportResult, Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots


def last(stage: Deployment, **execution: Any) -> None:
    """Let the last execution be such a one: moto runs no machines without packages of its own."""
    listed = {"executions": [{"executionArn": "the-arn"}]}
    stage.__dict__["stepfunctions"] = SimpleNamespace(
        list_executions=lambda **_: listed, describe_execution=lambda **_: execution
    )


def test_an_export_that_found_no_secret_is_told_with_what_to_do(stage: Deployment) -> None:
    last(stage, output='{"decision": "not_set_up"}')
    shown = status(stage)
    assert shown.members == {"exports": [], "exports_wait_for_secret": True}
    assert "its secret is not put in yet" in shown.lines[0]
    assert "--secret-id the-secret" in shown.lines[1]


def test_the_last_exports_the_newest_first(stage: Deployment) -> None:
    last(stage, startDate=datetime.now(UTC))
    slots, now = DynamoSlots(stage.dynamodb, "the-slots"), datetime(2024, 5, 14, 11, tzinfo=UTC)
    leases = [Export(Environment.TEST, Slot.of(now).after(hours), "the-arn") for hours in range(7)]
    for lease in [*leases, Export(Environment.PROD, Slot.of(now).after(9), "another")]:
        slots.claim(lease, "", now, now)
    for lease in leases[:-1]:
        slots.close(lease, ExportResult(str(lease.slot), "incomplete", "f/", 3, 2, missing=["a"], cause="why"))
    shown = status(stage)
    assert (shown.lines, shown.members["exports_wait_for_secret"]) == ((), False)
    running, *ended = shown.members["exports"]
    assert running == ExportedSlot("20240514-17", "running", running.running_seconds)
    assert running.running_seconds < 60
    assert ended == [
        ExportedSlot(f"20240514-{hour}", "incomplete", None, promised=3, copied=2, missing=1, cause="why")
        for hour in (16, 15, 14, 13)
    ]
