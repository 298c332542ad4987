"""Records of slots: claim a slot at the begin of an export, record the result at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sluice.lake.lease import Executions, acquire
from sluice.runs.execution_events import plain_cause
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import (
    DELIVERED,
    INCOMPLETE,
    LONGEST_CAUSE,
    Export,
    ExportResult,
    Job,
    JobState,
    Slot,
)


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """The record of a slot.

    `execution` has the lease and is empty while the slot is free; `checked` is what its last check found, `job` and
    `result` are the slot's last ones.
    """

    execution: str = ""
    job: Job | None = None
    checked: ExportResult | None = None
    result: ExportResult | None = None


class SlotRecords(Protocol):
    """The records of slots. Writes raise LeaseLostError when another execution has the slot."""

    def get(self, environment: Environment, slot: Slot) -> SlotRecord:
        """Return the record of a slot."""

    def claim(self, export: Export, ended: str, now: datetime, until: datetime) -> SlotRecord:
        """Take a slot that is free, whose lease is over, or that the `ended` execution has; return its record then."""

    def put_job(self, export: Export, job: Job) -> None:
        """Record the job."""

    def put_checked(self, export: Export, result: ExportResult) -> None:
        """Record the result of a check."""

    def close(self, export: Export, result: ExportResult) -> None:
        """Record the result and free the slot; a repetition by the same execution changes nothing."""


class NoJobError(Exception):
    """The slot is not of the present hour and has no job whose files could be copied."""


class Decision(StrEnum):
    """Next step of an execution that wants a slot."""

    TRIGGER = "trigger"
    RESUME = "resume"
    BUSY = "busy"
    NOT_SET_UP = "not_set_up"  # no person has put the vendor's secret in yet: no slot is claimed


@dataclass(frozen=True, slots=True)
class SlotClaim:
    """Claims slots for a `lease` that is longer than an execution can take.

    `vendor` is the URL of the vendor's export service: jobs of another service are of no use.
    """

    slots: SlotRecords
    executions: Executions
    environment: Environment
    vendor: str
    lease: timedelta

    def claim(self, execution: str, started_at: datetime, wanted: Slot | None, now: datetime) -> tuple[Decision, Slot]:
        """Claim a slot and return what has to be done with it.

        The slot is the hour in which the execution was started, UTC, however late it is now; or the `wanted` one,
        to copy again the files of its job.

        Raises:
            NoJobError: The slot is another hour's and has no job.
        """
        present = Slot.of(started_at)
        slot = wanted or present
        if slot > present:
            raise NoJobError(f"export {slot}: this hour has not begun; leave the slot out to export the present one")
        if slot != present and not self._has_usable_job(self.slots.get(self.environment, slot)):
            raise NoJobError(
                f"export {slot}: there is no job of this slot to copy from, and the vendor exports the present hour "
                "only; `sluice history copy-missing` copies a slot from a bucket that has it"
            )
        export = Export(self.environment, slot, execution)
        until = now + self.lease
        record = acquire(execution, lambda ended: self.slots.claim(export, ended, now, until), self.executions)
        if record is None:
            return Decision.BUSY, slot
        return (Decision.RESUME if self._has_usable_job(record) else Decision.TRIGGER), slot

    def _has_usable_job(self, record: SlotRecord) -> bool:
        return record.job is not None and record.job.vendor == self.vendor and record.job.state is not JobState.FAILED


def record_result(export: Export, state: Mapping[str, Any], slots: SlotRecords) -> ExportResult:
    """Record the result of an export, free its slot, and return the result.

    `state` is the machine's: the answers by step, and ``failure`` where a step failed.
    """
    record = slots.get(export.environment, export.slot)
    result = record.checked or ExportResult(str(export.slot), INCOMPLETE, export.folder)
    causes = (state.get(step, {}).get("cause", "") for step in ("delivery", "check", "trigger"))
    cause = _failure(state) or result.cause or next(filter(None, causes), "")
    if cause or result.status != DELIVERED:
        cause = cause or "the export ended before its files were checked"
        result = replace(result, status=INCOMPLETE, cause=cause[:LONGEST_CAUSE])
    before = None if record.checked else record.result  # an execution that checked nothing undoes no delivery
    slots.close(export, before if before and before.status == DELIVERED else result)
    return result


def _failure(state: Mapping[str, Any]) -> str:
    """Return the sentence inside the error of the step that failed."""
    failure = state.get("failure")
    if not failure:
        return ""
    return plain_cause(str(failure.get("Cause") or failure.get("Error") or "a step failed"))
