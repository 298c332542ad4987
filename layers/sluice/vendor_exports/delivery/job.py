"""The vendor's job of a slot: trigger it and check its status, within budgets of time.

The budgets count the seconds the state machine has waited; no clock is read.
"""

from dataclasses import dataclass
from enum import StrEnum

from sluice.vendor_exports.client.answers import Accepted, JobReport, JobStatus, Vendor
from sluice.vendor_exports.client.errors import AnswerNotUnderstoodError, JobUnknownError, VendorUnavailableError
from sluice.vendor_exports.delivery.model import Export, Job, JobState
from sluice.vendor_exports.delivery.slot_records import SlotRecords

SHORTEST_WAIT, LONGEST_WAIT, USUAL_WAIT = 15, 65 * 60, 5 * 60
"""Seconds to wait after a refusal: at least, at most, and when the vendor's sentence names no time."""


class NextStep(StrEnum):
    """Next step of the machine after an answer about the job."""

    ACCEPTED = "accepted"
    WAIT = "wait"
    COMPLETE = "complete"
    LOST = "lost"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class TriggerAnswer:
    """Answer to a trigger; `waited_seconds` are all the machine will have waited for a job."""

    next_step: NextStep
    wait_seconds: int
    waited_seconds: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """Answer to a check of the job; `polls` answers so far, `unknown` of them in unknown words."""

    next_step: NextStep
    polls: int
    unknown: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class JobTrigger:
    """Triggers jobs.

    Attributes:
        vendor: The vendor's API.
        address: URL of the service that runs the job.
        slots: The records of slots.
        patience_seconds: Longest time to wait for the vendor to take a job.
    """

    vendor: Vendor
    address: str
    slots: SlotRecords
    patience_seconds: int

    def trigger(self, export: Export, waited_seconds: int) -> TriggerAnswer:
        """Ask for a job after having waited so many seconds for one.

        Raises:
            VendorError: The vendor refuses the credentials, or its answer is not understood.
        """
        try:
            answer = self.vendor.trigger(export.environment)
        except VendorUnavailableError as error:
            return self._refused(None, str(error), waited_seconds)
        if isinstance(answer, Accepted):
            self.slots.put_job(export, Job(answer.job_guid, self.address, JobState.TRIGGERED))
            return TriggerAnswer(NextStep.ACCEPTED, 0, waited_seconds)
        return self._refused(answer.seconds, f'the vendor said "{answer.sentence}"', waited_seconds)

    def _refused(self, seconds: float | None, why: str, waited: int) -> TriggerAnswer:
        wait = USUAL_WAIT if seconds is None else min(max(int(seconds) + 1, SHORTEST_WAIT), LONGEST_WAIT)
        if waited + wait > self.patience_seconds:
            cause = f"the vendor took no job within {self.patience_seconds // 60} minutes of waiting: {why}"
            return TriggerAnswer(NextStep.OVER, 0, waited, cause)
        return TriggerAnswer(NextStep.WAIT, wait, waited + wait)


@dataclass(frozen=True, slots=True)
class JobCheck:
    """Checks the status of jobs.

    Attributes:
        vendor: The vendor's API.
        slots: The records of slots.
        poll_seconds: Time the machine waits between two checks.
        deadline_seconds: Longest time a job may take.
    """

    vendor: Vendor
    slots: SlotRecords
    poll_seconds: int
    deadline_seconds: int

    def check(self, export: Export, polls: int, unknown: int, *, replaceable: bool) -> JobAnswer:
        """Ask for the status of the slot's job, after so many polls.

        Args:
            export: The slot and its execution.
            polls: Number of checks before this one.
            unknown: How many of their answers were in unknown words.
            replaceable: Whether another job may be triggered if the vendor has forgotten this one: it is not this
                execution's own, and its hour is the present one.

        Raises:
            VendorError: The vendor refuses the credentials.
        """
        job = self.slots.get(export.environment, export.slot).job
        if job is None:
            return JobAnswer(NextStep.OVER, polls, unknown, f"export {export.slot} has no job")
        try:
            report = self.vendor.status(job.guid)
        except VendorUnavailableError as error:
            return self._not_yet(polls + 1, unknown, str(error))
        except AnswerNotUnderstoodError as error:
            return self._not_yet(polls + 1, unknown + 1, str(error))
        except JobUnknownError as error:
            return self._forgotten(
                export, job, error, JobAnswer(NextStep.LOST, polls + 1, unknown), replaceable=replaceable
            )
        if report.status.is_terminal:
            return self._ended(export, job, report, polls + 1, unknown)
        strange = unknown + (report.status is JobStatus.UNKNOWN)
        return self._not_yet(polls + 1, strange, f'its last status was "{report.word}", {strange} were unknown')

    def _ended(self, export: Export, job: Job, report: JobReport, polls: int, unknown: int) -> JobAnswer:
        if report.status is JobStatus.COMPLETE:
            self.slots.put_job(export, Job(job.guid, job.vendor, JobState.COMPLETE))
            return JobAnswer(NextStep.COMPLETE, polls, unknown)
        self.slots.put_job(export, Job(job.guid, job.vendor, JobState.FAILED))
        return JobAnswer(NextStep.OVER, polls, unknown, f'the vendor\'s job ended as "{report.word}"')

    def _forgotten(
        self, export: Export, job: Job, error: Exception, lost: JobAnswer, *, replaceable: bool
    ) -> JobAnswer:
        if not replaceable and job.state is JobState.TRIGGERED:
            return self._not_yet(lost.polls, lost.unknown, str(error))  # it may not know its own new job at once
        self.slots.put_job(export, Job(job.guid, job.vendor, JobState.FAILED))
        return lost if replaceable else JobAnswer(NextStep.OVER, lost.polls, lost.unknown, str(error))

    def _not_yet(self, polls: int, unknown: int, why: str) -> JobAnswer:
        if polls * self.poll_seconds > self.deadline_seconds:
            cause = f"the job was not complete after {self.deadline_seconds // 60} minutes: {why}"
            return JobAnswer(NextStep.OVER, polls, unknown, cause)
        return JobAnswer(NextStep.WAIT, polls, unknown)
