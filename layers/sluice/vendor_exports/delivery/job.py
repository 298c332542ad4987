"""The vendor's job of a slot: trigger it and check its status, within budgets of time.

The budgets count the seconds the state machine has waited; no clock is read.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from sluice.vendor_exports.client.api import (
    Accepted,
    AnswerNotUnderstoodError,
    JobReport,
    JobStatus,
    JobUnknownError,
    Vendor,
    VendorUnavailableError,
)
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
    """Triggers jobs at the service with the URL `address`, which may take `patience_seconds` to accept one."""

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
    """Checks the status of jobs, each `poll_seconds` after the check before, for `deadline_seconds` at most."""

    vendor: Vendor
    slots: SlotRecords
    poll_seconds: int
    deadline_seconds: int

    def check(self, export: Export, polls: int, unknown: int, *, replaceable: bool) -> JobAnswer:
        """Ask for the status of the slot's job, after so many polls, with so many of their answers in unknown words.

        A job is `replaceable` if the vendor may be asked for another one when it has forgotten it: the job is not
        this execution's own, and its hour is the present one.

        Raises:
            VendorError: The vendor refuses the credentials.
        """
        job = self.slots.get(export.environment, export.slot).job
        if job is None:
            return JobAnswer(NextStep.OVER, polls, unknown, f"export {export.slot} has no job")
        polls += 1
        try:
            report = self.vendor.status(job.guid)
        except (VendorUnavailableError, AnswerNotUnderstoodError) as error:
            return self._not_yet(polls, unknown + isinstance(error, AnswerNotUnderstoodError), str(error))
        except JobUnknownError as error:
            if not replaceable and job.state is JobState.TRIGGERED:
                return self._not_yet(polls, unknown, str(error))  # it may not know its own new job at once
            self.slots.put_job(export, replace(job, state=JobState.FAILED))
            next_step, cause = (NextStep.LOST, "") if replaceable else (NextStep.OVER, str(error))
            return JobAnswer(next_step, polls, unknown, cause)
        if report.status.is_terminal:
            return self._ended(export, job, report, JobAnswer(NextStep.COMPLETE, polls, unknown))
        unknown += report.status is JobStatus.UNKNOWN
        return self._not_yet(polls, unknown, f'its last status was "{report.word}", {unknown} were unknown')

    def _ended(self, export: Export, job: Job, report: JobReport, complete: JobAnswer) -> JobAnswer:
        if report.status is JobStatus.COMPLETE:
            self.slots.put_job(export, replace(job, state=JobState.COMPLETE))
            return complete
        self.slots.put_job(export, replace(job, state=JobState.FAILED))
        return replace(complete, next_step=NextStep.OVER, cause=f'the vendor\'s job ended as "{report.word}"')

    def _not_yet(self, polls: int, unknown: int, why: str) -> JobAnswer:
        if polls * self.poll_seconds > self.deadline_seconds:
            cause = f"the job was not complete after {self.deadline_seconds // 60} minutes: {why}"
            return JobAnswer(NextStep.OVER, polls, unknown, cause)
        return JobAnswer(NextStep.WAIT, polls, unknown)
