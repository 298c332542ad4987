"""Asking for a job and after it: every answer, and the ends of patience."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.client.answers import Accepted, JobReport, Refused
from sluice.vendor_exports.client.errors import (
    AnswerNotUnderstoodError,
    CredentialsRefusedError,
    JobUnknownError,
    VendorUnavailableError,
)
from sluice.vendor_exports.client.status import JobStatus
from sluice.vendor_exports.delivery.job import (
    LONGEST_WAIT,
    SHORTEST_WAIT,
    USUAL_WAIT,
    Check,
    Checking,
    Trigger,
    Triggering,
    Turn,
)
from sluice.vendor_exports.delivery.model import Job, JobState
from sluice.vendor_exports.delivery.ports import LeaseLostError
from tests.vendor_exports.unit.delivery.memory import LEASE, Answer, MemorySlots, Vendor

PATIENCE, POLL, DEADLINE = 75 * 60, 60, 600
VENDOR = "https://export.test"
UNAVAILABLE = VendorUnavailableError("20260301-12", "trigger", "the vendor answered 503, 5 times", "Wait.")

ODD = AnswerNotUnderstoodError("20260301-12", "status", "the vendor answered 200 with something else", "Ask.")
FORGOTTEN = JobUnknownError("20260301-12", "status", "the vendor does not know the job", "Run it again.")


def owned(job: Job | None = None) -> MemorySlots:
    return MemorySlots({(LEASE.environment, LEASE.slot): {"owner": LEASE.execution} | ({"job": job} if job else {})})


def trigger(answer: Answer, waited: int = 0, slots: MemorySlots | None = None) -> Trigger:
    return Triggering(Vendor([answer]), VENDOR, slots or owned(), PATIENCE).trigger(LEASE, waited)


def check(
    answer: Answer, polls: int = 0, unknown: int = 0, slots: MemorySlots | None = None, *, replaceable: bool = False
) -> Check:
    slots = slots or owned(Job("guid", VENDOR, JobState.TRIGGERED))
    return Checking(Vendor([answer]), slots, POLL, DEADLINE).check(LEASE, polls, unknown, replaceable=replaceable)


# Triggering


def test_an_accepted_job_is_recorded() -> None:
    slots = owned()
    assert trigger(Accepted("guid"), 90, slots) == Trigger(Turn.ACCEPTED, 0, 90)
    assert slots.job(LEASE.environment, LEASE.slot) == Job("guid", VENDOR, JobState.TRIGGERED)


def test_a_job_of_a_slot_that_was_lost_is_not_recorded() -> None:
    slots = owned()
    slots.record(LEASE)["owner"] = "other"
    with pytest.raises(LeaseLostError):
        trigger(Accepted("guid"), slots=slots)
    assert slots.job(LEASE.environment, LEASE.slot) is None


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [
        (0, SHORTEST_WAIT),
        (SHORTEST_WAIT - 1.5, SHORTEST_WAIT),
        (100, 101),
        (100.9, 101),
        (3600, 3601),
        (LONGEST_WAIT - 1, LONGEST_WAIT),
        (LONGEST_WAIT, LONGEST_WAIT),
        (25 * 3600, LONGEST_WAIT),
        (None, USUAL_WAIT),
    ],
)
def test_a_refusal_is_waited_for_within_bounds(seconds: float | None, wait: int) -> None:
    assert trigger(Refused(seconds, "Later.")) == Trigger(Turn.WAIT, wait, wait)


def test_a_vendor_that_is_away_is_asked_again() -> None:
    assert trigger(UNAVAILABLE, 60) == Trigger(Turn.WAIT, USUAL_WAIT, 60 + USUAL_WAIT)


def test_patience_has_an_end() -> None:
    assert trigger(Refused(99, "Later."), PATIENCE - 100).turn is Turn.WAIT
    over = trigger(Refused(99, "Later."), PATIENCE - 99)
    cause = 'the vendor took no job within 75 minutes of waiting: the vendor said "Later."'
    assert over == Trigger(Turn.OVER, 0, PATIENCE - 99, cause)
    assert "the vendor answered 503, 5 times" in trigger(UNAVAILABLE, PATIENCE).cause


@given(st.lists(st.none() | st.floats(0, 90_000), min_size=1, max_size=400))
def test_waiting_ends_whatever_the_vendor_says(refusals: list[float | None]) -> None:
    waited, turns = 0, 0
    while True:
        answer = trigger(Refused(refusals[turns % len(refusals)], "Later."), waited)
        if answer.turn is Turn.OVER:
            break
        assert SHORTEST_WAIT <= answer.wait_seconds <= LONGEST_WAIT
        assert answer.waited_seconds == waited + answer.wait_seconds <= PATIENCE
        waited, turns = answer.waited_seconds, turns + 1
    assert turns <= PATIENCE // SHORTEST_WAIT


def test_what_helps_nobody_is_raised() -> None:
    for kind in (AnswerNotUnderstoodError, CredentialsRefusedError):
        with pytest.raises(kind):
            trigger(kind("20260301-12", "trigger", "odd", "Ask."))
    with pytest.raises(CredentialsRefusedError):
        check(CredentialsRefusedError("20260301-12", "status", "odd", "Ask."))


# Checking


def report(status: JobStatus, word: str = "Word") -> JobReport:
    return JobReport(status, word)


def test_a_complete_job() -> None:
    slots = owned(Job("guid", VENDOR, JobState.TRIGGERED))
    vendor = Vendor([report(JobStatus.COMPLETE)])
    assert Checking(vendor, slots, POLL, DEADLINE).check(LEASE, 3, 1, replaceable=False) == Check(Turn.COMPLETE, 4, 1)
    assert vendor.asked == [("status", "guid")]
    assert slots.job(LEASE.environment, LEASE.slot) == Job("guid", VENDOR, JobState.COMPLETE)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.ABORTED])
def test_a_job_that_ended_badly_is_not_taken_up_again(status: JobStatus) -> None:
    slots = owned(Job("guid", VENDOR, JobState.TRIGGERED))
    over = check(report(status, "Broken"), slots=slots)
    assert over == Check(Turn.OVER, 1, 0, 'the vendor\'s job ended as "Broken"')
    assert slots.job(LEASE.environment, LEASE.slot) == Job("guid", VENDOR, JobState.FAILED)


def test_a_job_that_goes_on() -> None:
    assert check(report(JobStatus.RUNNING), 1, 2) == Check(Turn.WAIT, 2, 2)
    assert check(report(JobStatus.UNKNOWN), 1, 2) == Check(Turn.WAIT, 2, 3)
    assert check(UNAVAILABLE, 1, 2) == Check(Turn.WAIT, 2, 2)
    assert check(ODD, 1, 2) == Check(Turn.WAIT, 2, 3), "anything else is not yet"


@pytest.mark.parametrize("state", [JobState.TRIGGERED, JobState.COMPLETE])
def test_a_job_the_vendor_has_forgotten_is_triggered_anew_where_that_makes_sense(state: JobState) -> None:
    slots = owned(Job("guid", VENDOR, state))
    assert check(FORGOTTEN, 1, 2, slots, replaceable=True) == Check(Turn.LOST, 2, 2)
    assert slots.job(LEASE.environment, LEASE.slot) == Job("guid", VENDOR, JobState.FAILED)


def test_a_job_of_our_own_that_the_vendor_does_not_know_yet() -> None:
    slots = owned(Job("guid", VENDOR, JobState.TRIGGERED))
    assert check(FORGOTTEN, 1, 2, slots) == Check(Turn.WAIT, 2, 2)
    assert slots.job(LEASE.environment, LEASE.slot) == Job("guid", VENDOR, JobState.TRIGGERED)
    assert "does not know" in check(FORGOTTEN, DEADLINE // POLL, slots=slots).cause


def test_a_forgotten_job_of_another_hour() -> None:
    slots = owned(Job("guid", VENDOR, JobState.COMPLETE))
    assert check(FORGOTTEN, slots=slots) == Check(Turn.OVER, 1, 0, str(FORGOTTEN))


def test_a_job_that_takes_too_long() -> None:
    last = DEADLINE // POLL
    assert check(report(JobStatus.RUNNING), last - 1).turn is Turn.WAIT
    over = check(report(JobStatus.UNKNOWN, "Hm"), last, 4)
    cause = 'the job was not complete after 10 minutes: its last status was "Hm", 5 were unknown'
    assert over == Check(Turn.OVER, last + 1, 5, cause)
    assert "the vendor answered 503" in check(UNAVAILABLE, last).cause
    assert check(report(JobStatus.COMPLETE), last).turn is Turn.COMPLETE, "better late than never"


def test_a_slot_without_a_job() -> None:
    assert check(report(JobStatus.RUNNING), slots=owned()) == Check(Turn.OVER, 0, 0, "export 20260301-12 has no job")


def test_the_state_of_a_job_in_a_slot_that_was_lost() -> None:
    slots = owned(Job("guid", VENDOR, JobState.TRIGGERED))
    slots.record(LEASE)["owner"] = "other"
    with pytest.raises(LeaseLostError):
        check(report(JobStatus.COMPLETE), slots=slots)
