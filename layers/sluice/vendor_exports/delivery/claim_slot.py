"""The begin of an export: its slot, fixed once and for all, and the right to work on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sluice.event_files.convert.ports import Executions
from sluice.vendor_exports.delivery.model import Job, JobState, Lease
from sluice.vendor_exports.delivery.ports import Slots
from sluice.vendor_exports.delivery.slots import Environment, Slot


class NoJobError(Exception):
    """The slot's hour is not the present one, and it has no job whose files could be copied."""


class Decision(StrEnum):
    """How an execution goes on."""

    TRIGGER = "trigger"
    RESUME = "resume"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Begins exports.

    Attributes:
        slots: The records of slots.
        executions: Tells which executions are alive.
        environment: The flow of this stage.
        vendor: Address of the vendor's export service: a job is known there and nowhere else.
        lease: How long a slot is an execution's; longer than an execution can take.
    """

    slots: Slots
    executions: Executions
    environment: Environment
    vendor: str
    lease: timedelta

    def begin(self, execution: str, started_at: datetime, wanted: Slot | None, now: datetime) -> tuple[Decision, Slot]:
        """Claim the slot and say what has to be done with it.

        Args:
            execution: Who asks.
            started_at: When it was started, UTC: the slot is the hour of that time, however late it is now.
            wanted: Another slot, to copy again what its job has.
            now: The present time, UTC.

        Raises:
            NoJobError: The slot is another hour's and has no job.
        """
        present = Slot.of(started_at)
        slot = wanted or present
        if slot > present:
            raise NoJobError(f"export {slot}: this hour has not begun; leave the slot out to export the present one")
        if slot != present and self._usable_job(slot) is None:
            raise NoJobError(
                f"export {slot}: there is no job of this slot to copy from, and the vendor exports the present hour "
                "only; `sluice history copy-missing` copies a slot from a bucket that has it"
            )
        lease = Lease(self.environment, slot, execution)
        if not self._claim(lease, now):
            return Decision.BUSY, slot
        # Read only now: the one that had the slot may have triggered the job a moment ago.
        return (Decision.RESUME if self._usable_job(slot) else Decision.TRIGGER), slot

    def _usable_job(self, slot: Slot) -> Job | None:
        job = self.slots.job(self.environment, slot)
        return job if job and job.vendor == self.vendor and job.state is not JobState.FAILED else None

    def _claim(self, lease: Lease, now: datetime) -> bool:
        """Take the slot if it is free, its lease over, or its owner dead."""
        while True:
            owner = self.slots.claim(lease, now, now + self.lease)
            if owner is None:
                return True
            if self.executions.is_running(owner):
                return False
            if self.slots.take_over(lease, owner, now + self.lease):
                return True
