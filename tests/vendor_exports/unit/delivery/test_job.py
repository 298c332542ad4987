"""Jobs are triggered and checked within budgets of time, whatever the vendor answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.http.patience import LONGEST_WAIT, Patience
from sluice.vendor_exports.client.api import (
    Accepted,
    AnswerNotUnderstoodError,
    CredentialsRefusedError,
    JobReport,
    JobStatus,
    JobUnknownError,
    Refused,
    VendorUnavailableError,
)
from sluice.vendor_exports.delivery.job import (
    SHORTEST_WAIT,
    USUAL_WAIT,
    JobAnswer,
    JobCheck,
    JobTrigger,
    NextStep,
    TriggerAnswer,
)
from sluice.vendor_exports.delivery.model import Job, JobState
from tests.vendor_exports.unit.delivery.memory import EXPORT, Answer, OneSlot, ScriptedVendor, slot_with

PATIENCE, POLL, DEADLINE = 75 * 60, 60, 600
PATIENT = Patience(DEADLINE, usual=POLL, shortest=POLL)
VENDOR = "https://export.test"
UNAVAILABLE = VendorUnavailableError("20260301-12", "trigger", "the vendor answered 503, 5 times", "Wait.")
BUSY = VendorUnavailableError("20260301-12", "status", "the vendor answered 503", "Wait.", retry_after=200)
ODD = AnswerNotUnderstoodError("20260301-12", "status", "the vendor answered 200 with something else", "Ask.")
FORGOTTEN = JobUnknownError("20260301-12", "status", "the vendor does not know the job", "Run it again.")


def trigger(answer: Answer, waited: int = 0, slots: OneSlot | None = None) -> TriggerAnswer:
    patience = Patience(PATIENCE, USUAL_WAIT, SHORTEST_WAIT)
    return JobTrigger(ScriptedVendor([answer]), VENDOR, slots or slot_with(), patience).trigger(EXPORT, waited)


def check(
    answer: Answer, waited: int = 0, unknown: int = 0, slots: OneSlot | None = None, *, replaceable: bool = False
) -> JobAnswer:
    slots = slots or slot_with(Job("guid", VENDOR, JobState.TRIGGERED))
    return JobCheck(ScriptedVendor([answer]), slots, PATIENT).check(EXPORT, waited, unknown, replaceable=replaceable)


# Triggering


def test_an_accepted_job_is_recorded() -> None:
    slots = slot_with()
    assert trigger(Accepted("guid"), 90, slots) == TriggerAnswer(NextStep.ACCEPTED, 0, 90)
    assert slots.record.job == Job("guid", VENDOR, JobState.TRIGGERED)


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [
        (0, SHORTEST_WAIT),
        (SHORTEST_WAIT - 1.5, SHORTEST_WAIT),
        (100.9, 101),
        (LONGEST_WAIT - 1, LONGEST_WAIT),
        (LONGEST_WAIT, LONGEST_WAIT),
        (25 * 3600, LONGEST_WAIT),
        (None, USUAL_WAIT),
    ],
)
def test_the_wait_after_a_refusal_is_bounded(seconds: float | None, wait: int) -> None:
    assert trigger(Refused(seconds, "Later.")) == TriggerAnswer(NextStep.WAIT, wait, wait)


def test_an_unavailable_vendor_is_asked_again() -> None:
    assert trigger(BUSY, 60) == TriggerAnswer(NextStep.WAIT, 201, 261)
    assert trigger(UNAVAILABLE, 60) == TriggerAnswer(NextStep.WAIT, USUAL_WAIT, 60 + USUAL_WAIT)


def test_waiting_ends_when_the_budget_is_spent() -> None:
    assert trigger(Refused(99, "Later."), PATIENCE - 100).next_step is NextStep.WAIT
    over = trigger(Refused(99, "Later."), PATIENCE - 99)
    cause = 'the vendor took no job within 75 minutes of waiting: the vendor said "Later."'
    assert over == TriggerAnswer(NextStep.OVER, 0, PATIENCE - 99, cause)
    assert "the vendor answered 503, 5 times" in trigger(UNAVAILABLE, PATIENCE).cause


@given(st.lists(st.none() | st.floats(0, 90_000), min_size=1, max_size=400))
def test_waiting_ends_whatever_the_vendor_says(refusals: list[float | None]) -> None:
    waited, refused = 0, 0
    while True:
        answer = trigger(Refused(refusals[refused % len(refusals)], "Later."), waited)
        if answer.next_step is NextStep.OVER:
            break
        assert SHORTEST_WAIT <= answer.wait_seconds <= LONGEST_WAIT
        assert answer.waited_seconds == waited + answer.wait_seconds <= PATIENCE
        waited, refused = answer.waited_seconds, refused + 1
    assert refused <= PATIENCE // SHORTEST_WAIT


def test_refused_credentials_and_strange_answers_are_raised() -> None:
    for kind in (AnswerNotUnderstoodError, CredentialsRefusedError):
        with pytest.raises(kind):
            trigger(kind("20260301-12", "trigger", "odd", "Ask."))
    with pytest.raises(CredentialsRefusedError):
        check(CredentialsRefusedError("20260301-12", "status", "odd", "Ask."))


# Checking


def report(status: JobStatus, word: str = "Word") -> JobReport:
    return JobReport(status, word)


def test_a_complete_job() -> None:
    slots = slot_with(Job("guid", VENDOR, JobState.TRIGGERED))
    vendor = ScriptedVendor([report(JobStatus.COMPLETE)])
    answer = JobCheck(vendor, slots, PATIENT).check(EXPORT, 180, 1, replaceable=False)
    assert answer == JobAnswer(NextStep.COMPLETE, 0, 180, 1)
    assert vendor.asked == [("status", "guid")]
    assert slots.record.job == Job("guid", VENDOR, JobState.COMPLETE)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.ABORTED])
def test_a_job_that_failed_ends_the_export(status: JobStatus) -> None:
    slots = slot_with(Job("guid", VENDOR, JobState.TRIGGERED))
    over = check(report(status, "Broken"), slots=slots)
    assert over == JobAnswer(NextStep.OVER, 0, 0, 0, 'the vendor\'s job ended as "Broken"')
    assert slots.record.job == Job("guid", VENDOR, JobState.FAILED)


def test_any_other_answer_means_not_yet() -> None:
    assert check(report(JobStatus.RUNNING), 60, 2) == JobAnswer(NextStep.WAIT, 60, 120, 2)
    assert check(report(JobStatus.UNKNOWN), 60, 2) == JobAnswer(NextStep.WAIT, 60, 120, 3)
    assert check(UNAVAILABLE, 60, 2) == JobAnswer(NextStep.WAIT, 60, 120, 2)
    assert check(BUSY, 60, 2) == JobAnswer(NextStep.WAIT, 201, 261, 2), "as long as it asks for"
    assert check(ODD, 60, 2) == JobAnswer(NextStep.WAIT, 60, 120, 3), "anything else is not yet"


@pytest.mark.parametrize("state", [JobState.TRIGGERED, JobState.COMPLETE])
def test_a_replaceable_job_that_the_vendor_has_forgotten_is_triggered_again(state: JobState) -> None:
    slots = slot_with(Job("guid", VENDOR, state))
    assert check(FORGOTTEN, 60, 2, slots, replaceable=True) == JobAnswer(NextStep.LOST, 0, 60, 2)
    assert slots.record.job == Job("guid", VENDOR, JobState.FAILED)


def test_a_new_job_may_be_unknown_to_the_vendor_for_a_while() -> None:
    slots = slot_with(Job("guid", VENDOR, JobState.TRIGGERED))
    assert check(FORGOTTEN, 60, 2, slots) == JobAnswer(NextStep.WAIT, 60, 120, 2)
    assert slots.record.job == Job("guid", VENDOR, JobState.TRIGGERED)
    assert "does not know" in check(FORGOTTEN, DEADLINE, slots=slots).cause


def test_a_forgotten_job_of_another_hour_ends_the_export() -> None:
    slots = slot_with(Job("guid", VENDOR, JobState.COMPLETE))
    assert check(FORGOTTEN, slots=slots) == JobAnswer(NextStep.OVER, 0, 0, 0, str(FORGOTTEN))


def test_a_job_has_a_deadline() -> None:
    last = DEADLINE
    assert check(report(JobStatus.RUNNING), last - POLL).next_step is NextStep.WAIT
    over = check(report(JobStatus.UNKNOWN, "Hm"), last, 4)
    cause = 'the job was not complete after 10 minutes: its last status was "Hm", 5 were unknown'
    assert over == JobAnswer(NextStep.OVER, 0, last, 5, cause)
    assert "the vendor answered 503" in check(UNAVAILABLE, last).cause
    assert check(report(JobStatus.COMPLETE), last).next_step is NextStep.COMPLETE, "better late than never"


def test_a_slot_without_a_job() -> None:
    assert check(report(JobStatus.RUNNING), slots=slot_with()) == JobAnswer(
        NextStep.OVER, 0, 0, 0, "export 20260301-12 has no job"
    )
