"""The vendor's job of a slot: trigger it and check its status, within budgets of time.

The budgets count the seconds the state machine has waited; no clock is read.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from sluice.http.patience import Patience
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

USUAL_WAIT, SHORTEST_WAIT = 5 * 60, 30
"""Seconds to wait after a refusal that names no time, and after any at least."""


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
    """Answer to a check of the job; `waited_seconds` are all the machine will have waited for it to be complete.

    Of the answers so far `unknown` ones were in unknown words.
    """

    next_step: NextStep
    wait_seconds: int
    waited_seconds: int
    unknown: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class JobTrigger:
    """Triggers jobs at the service with the URL `address`."""

    vendor: Vendor
    address: str
    slots: SlotRecords
    patience: Patience

    def trigger(self, export: Export, waited_seconds: int) -> TriggerAnswer:
        """Ask for a job after having waited so many seconds for one.

        Raises:
            VendorError: The vendor refuses the credentials, or its answer is not understood.
        """
        try:
            answer = self.vendor.trigger(export.environment)
        except VendorUnavailableError as error:
            return self._refused(error.retry_after, str(error), waited_seconds)
        if isinstance(answer, Accepted):
            self.slots.put_job(export, Job(answer.job_guid, self.address, JobState.TRIGGERED))
            return TriggerAnswer(NextStep.ACCEPTED, 0, waited_seconds)
        return self._refused(answer.seconds, f'the vendor said "{answer.sentence}"', waited_seconds)

    def _refused(self, seconds: float | None, why: str, waited: int) -> TriggerAnswer:
        wait = self.patience.wait(seconds, waited)
        if wait is None:
            cause = f"the vendor took no job within {self.patience.seconds // 60} minutes of waiting: {why}"
            return TriggerAnswer(NextStep.OVER, 0, waited, cause)
        return TriggerAnswer(NextStep.WAIT, wait, waited + wait)


@dataclass(frozen=True, slots=True)
class JobCheck:
    """Checks the status of jobs."""

    vendor: Vendor
    slots: SlotRecords
    patience: Patience

    def check(self, export: Export, waited_seconds: int, unknown: int, *, replaceable: bool) -> JobAnswer:
        """Ask for the status of the slot's job, after so many seconds, and so many answers in unknown words.

        A job is `replaceable` if the vendor may be asked for another one when it has forgotten it: the job is not
        this execution's own, and its hour is the present one.

        Raises:
            VendorError: The vendor refuses the credentials.
        """
        so_far = JobAnswer(NextStep.OVER, 0, waited_seconds, unknown)
        job = self.slots.get(export.environment, export.slot).job
        if job is None:
            return replace(so_far, cause=f"export {export.slot} has no job")
        try:
            report = self.vendor.status(job.guid)
        except (VendorUnavailableError, AnswerNotUnderstoodError) as error:
            unknown += isinstance(error, AnswerNotUnderstoodError)
            return self._not_yet(replace(so_far, unknown=unknown), str(error), error.retry_after)
        except JobUnknownError as error:
            if not replaceable and job.state is JobState.TRIGGERED:
                return self._not_yet(so_far, str(error))  # it may not know its own new job at once
            self.slots.put_job(export, replace(job, state=JobState.FAILED))
            return replace(so_far, next_step=NextStep.LOST) if replaceable else replace(so_far, cause=str(error))
        if report.status.is_terminal:
            return self._ended(export, job, report, so_far)
        unknown += report.status is JobStatus.UNKNOWN
        why = f'its last status was "{report.word}", {unknown} were unknown'
        return self._not_yet(replace(so_far, unknown=unknown), why)

    def _ended(self, export: Export, job: Job, report: JobReport, so_far: JobAnswer) -> JobAnswer:
        if report.status is JobStatus.COMPLETE:
            self.slots.put_job(export, replace(job, state=JobState.COMPLETE))
            return replace(so_far, next_step=NextStep.COMPLETE)
        self.slots.put_job(export, replace(job, state=JobState.FAILED))
        return replace(so_far, cause=f'the vendor\'s job ended as "{report.word}"')

    def _not_yet(self, so_far: JobAnswer, why: str, asked: float | None = None) -> JobAnswer:
        wait = self.patience.wait(asked, so_far.waited_seconds)
        if wait is None:
            cause = f"the job was not complete after {self.patience.seconds // 60} minutes: {why}"
            return replace(so_far, cause=cause)
        waited = so_far.waited_seconds + wait
        return replace(so_far, next_step=NextStep.WAIT, wait_seconds=wait, waited_seconds=waited)
