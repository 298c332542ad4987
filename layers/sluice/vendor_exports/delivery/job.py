"""Asking the vendor for a job and how far it is, as often as a budget allows.

The budgets count the seconds an export has waited, not those of a clock: clocks disagree, and a machine that waits
knows best how long it did.
"""

from dataclasses import dataclass
from enum import StrEnum

from sluice.vendor_exports.client.answers import Accepted, JobReport
from sluice.vendor_exports.client.errors import AnswerNotUnderstoodError, JobUnknownError, VendorUnavailableError
from sluice.vendor_exports.client.status import JobStatus
from sluice.vendor_exports.delivery.model import Job, JobState, Lease
from sluice.vendor_exports.delivery.ports import Slots, Vendor

SHORTEST_WAIT, LONGEST_WAIT, USUAL_WAIT = 15, 65 * 60, 5 * 60
"""Seconds to wait after a refusal: at least, at most, and when the vendor's sentence names no time."""


class Turn(StrEnum):
    """What follows from an answer."""

    ACCEPTED = "accepted"
    WAIT = "wait"
    COMPLETE = "complete"
    LOST = "lost"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Trigger:
    """Where the asking for a job stands; seconds."""

    turn: Turn
    wait_seconds: int
    waited_seconds: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Where the asking for the job's status stands; `polls` answers so far, `unknown` of them in unknown words."""

    turn: Turn
    polls: int
    unknown: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Triggering:
    """Asks for jobs.

    Attributes:
        vendor: The vendor's API.
        address: Address of the service that knows the job.
        slots: The records of slots.
        patience_seconds: How long to wait for the vendor to take a job.
    """

    vendor: Vendor
    address: str
    slots: Slots
    patience_seconds: int

    def trigger(self, lease: Lease, waited_seconds: int) -> Trigger:
        """Ask for a job after having waited so many seconds for one.

        Raises:
            VendorError: The vendor's answer helps nobody.
        """
        try:
            answer = self.vendor.trigger(lease.environment)
        except VendorUnavailableError as error:
            return self._refused(None, str(error), waited_seconds)
        if isinstance(answer, Accepted):
            self.slots.put_job(lease, Job(answer.job_guid, self.address, JobState.TRIGGERED))
            return Trigger(Turn.ACCEPTED, 0, waited_seconds)
        return self._refused(answer.seconds, f'the vendor said "{answer.sentence}"', waited_seconds)

    def _refused(self, seconds: float | None, why: str, waited: int) -> Trigger:
        wait = USUAL_WAIT if seconds is None else min(max(int(seconds) + 1, SHORTEST_WAIT), LONGEST_WAIT)
        if waited + wait > self.patience_seconds:
            minutes = self.patience_seconds // 60
            return Trigger(Turn.OVER, 0, waited, f"the vendor took no job within {minutes} minutes of waiting: {why}")
        return Trigger(Turn.WAIT, wait, waited + wait)


@dataclass(frozen=True, slots=True)
class Checking:
    """Asks how far jobs are.

    Attributes:
        vendor: The vendor's API.
        slots: The records of slots.
        poll_seconds: How long the machine waits between two questions.
        deadline_seconds: How long a job may take.
    """

    vendor: Vendor
    slots: Slots
    poll_seconds: int
    deadline_seconds: int

    def check(self, lease: Lease, polls: int, unknown: int, *, replaceable: bool) -> Check:
        """Ask for the status of the slot's job, after so many polls.

        Args:
            lease: Whose job it is.
            polls: How often it was asked for already.
            unknown: How many of the answers were in unknown words.
            replaceable: Whether a job that the vendor has forgotten may be triggered anew: it is not this execution's
                own, and its hour is the present one.

        Raises:
            VendorError: The vendor's answer helps nobody.
        """
        job = self.slots.job(lease.environment, lease.slot)
        if job is None:
            return Check(Turn.OVER, polls, unknown, f"export {lease.slot} has no job")
        try:
            report = self.vendor.status(job.guid)
        except VendorUnavailableError as error:
            return self._not_yet(polls + 1, unknown, str(error))
        except AnswerNotUnderstoodError as error:
            return self._not_yet(polls + 1, unknown + 1, str(error))
        except JobUnknownError as error:
            return self._forgotten(lease, job, error, Check(Turn.LOST, polls + 1, unknown), replaceable=replaceable)
        if report.status.is_terminal:
            return self._ended(lease, job, report, polls + 1, unknown)
        strange = unknown + (report.status is JobStatus.UNKNOWN)
        return self._not_yet(polls + 1, strange, f'its last status was "{report.word}", {strange} were unknown')

    def _ended(self, lease: Lease, job: Job, report: JobReport, polls: int, unknown: int) -> Check:
        if report.status is JobStatus.COMPLETE:
            self.slots.put_job(lease, Job(job.guid, job.vendor, JobState.COMPLETE))
            return Check(Turn.COMPLETE, polls, unknown)
        self.slots.put_job(lease, Job(job.guid, job.vendor, JobState.FAILED))
        return Check(Turn.OVER, polls, unknown, f'the vendor\'s job ended as "{report.word}"')

    def _forgotten(self, lease: Lease, job: Job, error: Exception, lost: Check, *, replaceable: bool) -> Check:
        if not replaceable and job.state is JobState.TRIGGERED:
            return self._not_yet(lost.polls, lost.unknown, str(error))  # it may not know its own new job at once
        self.slots.put_job(lease, Job(job.guid, job.vendor, JobState.FAILED))
        return lost if replaceable else Check(Turn.OVER, lost.polls, lost.unknown, str(error))

    def _not_yet(self, polls: int, unknown: int, why: str) -> Check:
        if polls * self.poll_seconds > self.deadline_seconds:
            minutes = self.deadline_seconds // 60
            return Check(Turn.OVER, polls, unknown, f"the job was not complete after {minutes} minutes: {why}")
        return Check(Turn.WAIT, polls, unknown)
