"""Which slot, and whose it is."""

from datetime import UTC, datetime, timedelta

import pytest

from sluice.vendor_exports.delivery.claim_slot import Beginning, Decision, NoJobError
from sluice.vendor_exports.delivery.model import Account, Job, JobState, Lease
from sluice.vendor_exports.delivery.slots import Environment, Slot
from tests.vendor_exports.unit.delivery.memory import LEASE, SLOT, MemorySlots

VENDOR = "https://export.test"
NOW = SLOT.hour + timedelta(minutes=2)
ME = LEASE.execution
OTHER = Lease(LEASE.environment, SLOT, "other")
TRIGGER, RESUME, BUSY = Decision.TRIGGER, Decision.RESUME, Decision.BUSY
PAST = SLOT.after(-5)


class Executions:
    def __init__(self, *running: str) -> None:
        self.running = set(running)
        self.asked: list[str] = []

    def is_running(self, execution: str) -> bool:
        self.asked.append(execution)
        return execution in self.running


def begin(
    slots: MemorySlots, *running: str, wanted: Slot | None = None, started: datetime = NOW, now: datetime = NOW
) -> tuple[Decision, Slot]:
    beginning = Beginning(slots, Executions(*running), Environment.TEST, VENDOR, timedelta(hours=6))
    return beginning.begin(ME, started, wanted, now)


def slots_with(job: Job | None = None, slot: Slot = SLOT, **record: object) -> MemorySlots:
    return MemorySlots({(Environment.TEST, slot): ({"job": job} if job else {}) | record})


def job(state: JobState = JobState.COMPLETE, vendor: str = VENDOR) -> Job:
    return Job("guid", vendor, state)


def test_a_free_slot() -> None:
    slots = MemorySlots()
    assert begin(slots) == (TRIGGER, SLOT)
    assert slots.record(LEASE) == {"owner": ME, "until": NOW + timedelta(hours=6)}


@pytest.mark.parametrize(
    "late", [timedelta(), timedelta(minutes=57, seconds=59), timedelta(minutes=58), timedelta(hours=3)]
)
def test_the_slot_is_the_hour_of_the_start_however_late_it_is(late: timedelta) -> None:
    assert begin(MemorySlots(), now=NOW + late) == (TRIGGER, SLOT)


def test_a_start_just_before_the_hour() -> None:
    last = SLOT.after().hour - timedelta(microseconds=1)
    assert begin(MemorySlots(), started=last, now=last + timedelta(seconds=9)) == (TRIGGER, SLOT)


def test_a_second_attempt_of_the_same_execution() -> None:
    slots = MemorySlots()
    assert begin(slots) == begin(slots) == (TRIGGER, SLOT)


def test_a_running_owner_keeps_the_slot() -> None:
    slots = slots_with(owner="other", until=NOW + timedelta(hours=1))
    assert begin(slots, "other") == (BUSY, SLOT)
    assert slots.record(LEASE)["owner"] == "other"


def test_a_dead_owner_loses_the_slot_and_its_findings() -> None:
    slots = slots_with(owner="other", until=NOW + timedelta(hours=1), findings=Account("x", "delivered", "y"))
    assert begin(slots) == (TRIGGER, SLOT)
    assert slots.record(LEASE) == {"owner": ME, "until": NOW + timedelta(hours=6)}


def test_an_expired_lease_is_nobodys() -> None:
    slots = slots_with(owner="other", until=NOW - timedelta(seconds=1))
    assert begin(slots, "other") == (TRIGGER, SLOT)


def test_two_take_over_from_the_dead() -> None:
    """A third execution takes the slot between our look at its owner and our hand on it."""
    slots = slots_with(owner="dead", until=NOW + timedelta(hours=1))
    calls = 0

    def between() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            slots.record(LEASE)["owner"] = "third"

    slots.between = between
    assert begin(slots, "third") == (BUSY, SLOT)
    assert slots.record(LEASE)["owner"] == "third"


@pytest.mark.parametrize("state", [JobState.TRIGGERED, JobState.COMPLETE])
def test_a_job_that_is_there_is_taken_up(state: JobState) -> None:
    assert begin(slots_with(job(state))) == (RESUME, SLOT)
    assert begin(slots_with(job(state), slot=PAST), wanted=PAST) == (RESUME, PAST)


@pytest.mark.parametrize("useless", [job(JobState.FAILED), job(vendor="https://elsewhere.test")])
def test_a_job_that_is_of_no_use(useless: Job) -> None:
    assert begin(slots_with(useless)) == (TRIGGER, SLOT)
    with pytest.raises(NoJobError):
        begin(slots_with(useless, slot=PAST), wanted=PAST)


@pytest.mark.parametrize(
    ("wanted", "why"), [(PAST, "there is no job of this slot to copy from"), (SLOT.after(), "this hour has not begun")]
)
def test_another_hour_without_a_job(wanted: Slot, why: str) -> None:
    slots = MemorySlots()
    with pytest.raises(NoJobError, match=f"export {wanted}: {why}"):
        begin(slots, wanted=wanted)
    assert not any("owner" in record for record in slots.records.values())


def test_the_present_hour_may_be_asked_for() -> None:
    assert begin(MemorySlots(), wanted=SLOT) == (TRIGGER, SLOT)


def test_a_job_of_the_other_flow_is_none_of_ours() -> None:
    slots = MemorySlots({(Environment.PROD, SLOT): {"job": job()}})
    assert begin(slots) == (TRIGGER, SLOT)


def test_a_job_that_was_triggered_a_moment_before_the_claim() -> None:
    """The owner triggered and died while we looked: its job is ours, the vendor gives no second one this hour."""
    slots = slots_with(owner="dead", until=NOW + timedelta(hours=1))

    def between() -> None:
        if slots.record(LEASE)["owner"] == "dead":
            slots.record(LEASE)["job"] = job(JobState.TRIGGERED)

    slots.between = between
    assert begin(slots) == (RESUME, SLOT)


def test_utc_is_the_clock_of_slots() -> None:
    started = datetime.fromisoformat("2026-03-01T14:02:00+02:00")
    assert begin(MemorySlots(), started=started, now=started.astimezone(UTC)) == (TRIGGER, SLOT)
