"""Vendor exports in `sluice status`: the last slots and what became of each."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.markup import escape

from cli.platform.console import nowrap_column, table, wrapped_column
from cli.platform.registry import PipelineStatus
from cli.platform.runs import styled
from cli.platform.session import Deployment
from cli.vendor_exports.slots import environment_of, secret_advice, slots_of
from sluice.vendor_exports.delivery.model import Slot
from sluice.vendor_exports.delivery.slot_records import Decision, SlotRecord

SLOTS = 5


@dataclass(frozen=True, slots=True)
class ExportedSlot:
    """A slot's export; `status` is ``running`` while an execution has the slot, since `running_seconds`."""

    slot: str
    status: str
    running_seconds: int | None = None
    promised: int = 0
    copied: int = 0
    missing: int = 0
    cause: str = ""


def status(deployment: Deployment) -> PipelineStatus:
    """Read the last slots, the newest first."""
    environment = environment_of(deployment)
    found = [_exported(deployment, *each) for each in slots_of(deployment).recent(environment, SLOTS)]
    headers = (nowrap_column("Slot"), "Status", "Promised", "Copied", "Missing", wrapped_column("Cause"))
    waits = _waits_for_secret(deployment)
    lines = (
        "Vendor exports: nothing is asked of the vendor, for its secret is not put in yet.",
        secret_advice(deployment),
    )
    return PipelineStatus(
        members={"exports": found, "exports_wait_for_secret": waits},
        lines=tuple(map(escape, lines)) if waits else (),
        tables={"Last exports": table(*headers, rows=map(_row, found))},
    )


def _waits_for_secret(deployment: Deployment) -> bool:
    """Return whether the last execution found no secret; whoever asks for the status need not be allowed to read it."""
    client, machine = deployment.stepfunctions, deployment.output("ExportMachine")
    for last in client.list_executions(stateMachineArn=machine, maxResults=1)["executions"]:
        output = client.describe_execution(executionArn=last["executionArn"]).get("output", "{}")
        return bool(json.loads(output).get("decision") == Decision.NOT_SET_UP)
    return False


def _exported(deployment: Deployment, slot: Slot, record: SlotRecord) -> ExportedSlot:
    if record.execution:
        started = deployment.stepfunctions.describe_execution(executionArn=record.execution)["startDate"]
        seconds = max(0, round((datetime.now(UTC) - started).total_seconds()))
        return ExportedSlot(str(slot), "running", seconds)
    if not record.result:  # it ended a moment ago
        return ExportedSlot(str(slot), "running")
    result = record.result
    return ExportedSlot(
        str(slot), result.status, None, result.promised, result.copied, len(result.missing), result.cause
    )


def _row(export: ExportedSlot) -> tuple[str, ...]:
    counts = (f"{count:,}" for count in (export.promised, export.copied, export.missing))
    since = "" if export.running_seconds is None else f" for {export.running_seconds:,} s"
    return export.slot, styled(export.status) + since, *counts, escape(export.cause)
