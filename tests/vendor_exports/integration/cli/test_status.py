"""Vendor exports in `sluice status`: the last slots."""

from datetime import UTC, datetime
from types import SimpleNamespace

from cli.platform.session import Deployment
from cli.vendor_exports.status import ExportedSlot, status
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Export, ExportResult, Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots


def test_the_last_exports_the_newest_first(stage: Deployment) -> None:
    started = {"startDate": datetime.now(UTC)}
    stage.__dict__["stepfunctions"] = SimpleNamespace(describe_execution=lambda **_: started)
    slots, now = DynamoSlots(stage.dynamodb, "the-slots"), datetime(2024, 5, 14, 11, tzinfo=UTC)
    leases = [Export(Environment.TEST, Slot.of(now).after(hours), "the-arn") for hours in range(7)]
    for lease in [*leases, Export(Environment.PROD, Slot.of(now).after(9), "another")]:
        slots.claim(lease, "", now, now)
    for lease in leases[:-1]:
        slots.close(lease, ExportResult(str(lease.slot), "incomplete", "f/", 3, 2, missing=["a"], cause="why"))
    running, *ended = status(stage).members["exports"]
    assert running == ExportedSlot("20240514-17", "running", running.running_seconds)
    assert running.running_seconds < 60
    assert ended == [
        ExportedSlot(f"20240514-{hour}", "incomplete", None, promised=3, copied=2, missing=1, cause="why")
        for hour in (16, 15, 14, 13)
    ]
