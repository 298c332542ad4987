"""Slots are claimed by one execution at a time, and their results are recorded."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, ExportResult, Job, JobState
from sluice.vendor_exports.delivery.slot_records import Decision, NoJobError, SlotClaim, SlotRecord, record_result
from sluice.vendor_exports.delivery.slots import Slot
from tests.vendor_exports.unit.delivery.memory import EXPORT, FOLDER, SLOT, MemorySlots, RunningExecutions, owned_slots

VENDOR = "https://export.test"
NOW = SLOT.hour + timedelta(minutes=2)
ME = EXPORT.execution
TRIGGER, RESUME, BUSY = Decision.TRIGGER, Decision.RESUME, Decision.BUSY
PAST = SLOT.after(-5)

WHOLE = ExportResult("20260301-12", DELIVERED, FOLDER, promised=3, copied=2, bytes=9)
LACKING = ExportResult("20260301-12", INCOMPLETE, FOLDER, promised=3, missing=["A"], cause="1 of 3 promised files")
STATE = {"trigger": {"waited_seconds": 0}, "check": {"polls": 0, "unknown": 0}, "listing": {"round": 0}}


def claim(
    slots: MemorySlots, *running: str, wanted: Slot | None = None, started: datetime = NOW, now: datetime = NOW
) -> tuple[Decision, Slot]:
    slot_claim = SlotClaim(slots, RunningExecutions(*running), Environment.TEST, VENDOR, timedelta(hours=6))
    return slot_claim.claim(ME, started, wanted, now)


def slots_with(
    job: Job | None = None, slot: Slot = SLOT, execution: str = "", checked: ExportResult | None = None
) -> MemorySlots:
    return MemorySlots({(Environment.TEST, slot): SlotRecord(execution, job, checked)})


def job(state: JobState = JobState.COMPLETE, vendor: str = VENDOR) -> Job:
    return Job("guid", vendor, state)


# Claims


def test_a_free_slot_is_claimed() -> None:
    slots = MemorySlots()
    assert claim(slots) == claim(slots) == (TRIGGER, SLOT), "a second attempt of the same execution too"
    assert (slots.record, slots.until) == (SlotRecord(ME), NOW + timedelta(hours=6))


@pytest.mark.parametrize("late", [timedelta(minutes=57, seconds=59), timedelta(minutes=58), timedelta(hours=3)])
def test_the_slot_is_the_hour_of_the_start_however_late_it_is(late: timedelta) -> None:
    assert claim(MemorySlots(), now=NOW + late) == (TRIGGER, SLOT)
    last = SLOT.after().hour - timedelta(microseconds=1)
    assert claim(MemorySlots(), started=last, now=last + late) == (TRIGGER, SLOT)


def test_a_running_owner_keeps_the_slot() -> None:
    slots = slots_with(execution="other")
    assert claim(slots, "other") == (BUSY, SLOT)
    assert slots.record.execution == "other"


def test_an_owner_that_has_ended_loses_the_slot_and_its_checked_result() -> None:
    slots = slots_with(execution="other", checked=WHOLE)
    assert claim(slots) == (TRIGGER, SLOT)
    assert slots.record == SlotRecord(ME)


def test_an_expired_lease_is_free() -> None:
    slots = slots_with(execution="other")
    slots.until = NOW - timedelta(seconds=1)
    assert claim(slots, "other") == (TRIGGER, SLOT)


@pytest.mark.parametrize("state", [JobState.TRIGGERED, JobState.COMPLETE])
def test_a_job_that_is_there_is_resumed(state: JobState) -> None:
    assert claim(slots_with(job(state))) == (RESUME, SLOT)
    assert claim(slots_with(job(state), PAST), wanted=PAST) == (RESUME, PAST)


@pytest.mark.parametrize("useless", [job(JobState.FAILED), job(vendor="https://elsewhere.test")])
def test_a_job_that_failed_or_is_another_vendors_is_of_no_use(useless: Job) -> None:
    assert claim(slots_with(useless)) == (TRIGGER, SLOT)
    with pytest.raises(NoJobError):
        claim(slots_with(useless, PAST), wanted=PAST)


@pytest.mark.parametrize(
    ("wanted", "why"), [(PAST, "there is no job of this slot to copy from"), (SLOT.after(), "this hour has not begun")]
)
def test_another_hour_without_a_job_is_refused(wanted: Slot, why: str) -> None:
    slots = MemorySlots()
    with pytest.raises(NoJobError, match=f"export {wanted}: {why}"):
        claim(slots, wanted=wanted)
    assert not any(record.execution for record in slots.records.values())


def test_a_job_of_the_other_environment_is_not_resumed() -> None:
    assert claim(MemorySlots({(Environment.PROD, SLOT): SlotRecord(job=job())})) == (TRIGGER, SLOT)


def test_slots_are_hours_of_utc() -> None:
    started = datetime.fromisoformat("2026-03-01T14:02:00+02:00")
    assert claim(MemorySlots(), started=started, now=started.astimezone(UTC)) == (TRIGGER, SLOT)


# Results


def recorded(checked: ExportResult | None, **state: Any) -> ExportResult:
    slots = owned_slots()
    if checked:
        slots.put_checked(EXPORT, checked)
    result = record_result(EXPORT, STATE | state, slots)
    assert (slots.record.result, slots.record.execution) == (result, "")
    assert record_result(EXPORT, STATE | state, slots) == result, "a repeated step"
    return result


def incomplete(cause: str) -> ExportResult:
    return ExportResult("20260301-12", INCOMPLETE, FOLDER, cause=cause)


def test_the_checked_result_is_recorded() -> None:
    assert recorded(WHOLE) == WHOLE
    assert recorded(LACKING) == LACKING


@pytest.mark.parametrize("step", ["trigger", "check", "listing"])
def test_the_cause_of_the_last_step_is_recorded(step: str) -> None:
    assert recorded(None, **{step: {"cause": "the vendor took no job"}}) == incomplete("the vendor took no job")


def test_an_end_without_a_cause() -> None:
    assert recorded(None) == incomplete("the export ended before its files were checked")


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        ({"Error": "E", "Cause": json.dumps({"errorMessage": "export 1: no", "errorType": "X"})}, "export 1: no"),
        ({"Error": "States.Timeout"}, "States.Timeout"),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout"),
        ({"Error": "X", "Cause": "no JSON {"}, "no JSON {"),
        ({"Error": "X", "Cause": '{"requestId": "1"}'}, '{"requestId": "1"}'),
        ({"Error": "X", "Cause": "x" * 5000}, "x" * 1000),
        ({"unexpected": 1}, "a step failed"),
    ],
)
def test_the_cause_of_a_step_that_failed_is_recorded(failure: dict[str, str], cause: str) -> None:
    assert recorded(None, failure=failure) == incomplete(cause)


def test_a_failure_after_the_check_makes_the_export_incomplete() -> None:
    result = recorded(WHOLE, failure={"Error": "States.Timeout"})
    assert (result.status, result.cause, result.copied) == (INCOMPLETE, "States.Timeout", 2)
    assert recorded(LACKING, failure={"Error": "States.Timeout"}).missing == ["A"]


def test_an_execution_that_checked_nothing_does_not_undo_a_delivery() -> None:
    slots = owned_slots(result=WHOLE)
    assert record_result(EXPORT, STATE | {"check": {"cause": "why"}}, slots) == incomplete("why")
    assert slots.record.result == WHOLE
    slots = owned_slots(result=WHOLE)
    slots.put_checked(EXPORT, LACKING)
    assert record_result(EXPORT, STATE, slots) == LACKING == slots.record.result
