"""Records of slots in DynamoDB: one execution at a time has a slot, in whatever order they claim it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sluice.lake.lease import LeaseLostError
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Export, ExportResult, Job, JobState, Slot
from sluice.vendor_exports.delivery.slot_records import Decision, NoJobError, SlotClaim, SlotRecord, record_result
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.transfers import Provenance, Upload
from tests.event_files.unit.convert.memory_ledger import RunningExecutions
from tests.support.moto.aws_calls import Interruption, interleave
from tests.support.moto.backend import clear_table, items_of
from tests.support.moto.stage import LEDGER, MotoStage

TABLE = LEDGER  # has the keys of the table of slots
TEST, PROD = Environment.TEST, Environment.PROD
SLOT = Slot(datetime(2026, 3, 1, 12, tzinfo=UTC))
NOW = SLOT.hour + timedelta(minutes=2)
PAST = SLOT.after(-5)
UNTIL = NOW + timedelta(hours=6)
A, B = (Export(TEST, SLOT, f"arn:aws:states:here:1:execution:export:{name}") for name in "ab")
JOB = Job("guid", "https://export.test", JobState.TRIGGERED)
RESULT = ExportResult("20260301-12", "incomplete", "folder/", 3, 1, 1, 9, ["A"], ["T"], {"A": "why"}, "cause")
MOST_CALLS = 5  # DynamoDB calls of one claim


@pytest.fixture
def slots(moto_stage: MotoStage) -> DynamoSlots:
    return DynamoSlots(moto_stage.dynamodb, TABLE)


def claim(slots: DynamoSlots, lease: Export, now: datetime = NOW, ended: str = "") -> str:
    """Claim a slot; return the execution that has it then."""
    return slots.claim(lease, ended, now, UNTIL).execution


def test_a_lease_belongs_to_one_execution_until_it_expires(slots: DynamoSlots) -> None:
    assert claim(slots, A) == A.execution
    assert claim(slots, A) == A.execution, "again, by the same"
    assert claim(slots, B) == A.execution
    assert claim(slots, B, UNTIL) == A.execution, "to its last second"
    assert claim(slots, replace(B, environment=PROD)) == B.execution
    assert claim(slots, replace(B, slot=SLOT.after())) == B.execution
    later = UNTIL + timedelta(seconds=1)
    assert slots.claim(B, "", later, later + timedelta(hours=6)).execution == B.execution
    assert claim(slots, A, later) == B.execution


def test_a_lease_tells_that_the_slot_is_worked_on(slots: DynamoSlots) -> None:
    assert not slots.is_leased(TEST, SLOT, NOW)
    claim(slots, A)
    assert slots.is_leased(TEST, SLOT, UNTIL)
    assert not slots.is_leased(TEST, SLOT, UNTIL + timedelta(seconds=1))
    slots.close(A, RESULT)
    assert not slots.is_leased(TEST, SLOT, NOW)


def test_a_lease_is_taken_over_from_the_execution_that_ended_only(slots: DynamoSlots) -> None:
    claim(slots, A)
    assert claim(slots, B, ended="another") == A.execution
    assert claim(slots, B, ended=A.execution) == B.execution
    assert claim(slots, replace(A, execution="third"), ended=A.execution) == B.execution


def test_a_slot_that_is_freed_before_its_owner_is_read_is_claimed_again(
    moto_stage: MotoStage, slots: DynamoSlots
) -> None:
    claim(slots, A)
    with moto_stage.calls.intercept(
        Interruption(2, lambda: record_result(A, {}, DynamoSlots(moto_stage.dynamodb, TABLE)))
    ):
        assert claim(slots, B) == B.execution
    slots.put_job(B, JOB)


def test_the_job_belongs_to_the_slot_and_the_checked_result_to_the_execution(slots: DynamoSlots) -> None:
    claim(slots, A)
    slots.put_job(A, JOB)
    slots.put_checked(A, RESULT)
    assert slots.get(TEST, SLOT) == SlotRecord(A.execution, JOB, RESULT)
    assert slots.claim(B, A.execution, NOW, UNTIL) == SlotRecord(B.execution, JOB)


@pytest.mark.parametrize("before", ["taken over", "never claimed"])
def test_an_execution_without_the_lease_writes_nothing(slots: DynamoSlots, before: str) -> None:
    if before == "taken over":
        claim(slots, A)
        claim(slots, B, ended=A.execution)
    items = items_of(TABLE)
    writes: list[Callable[[], None]] = [
        lambda: slots.put_job(A, JOB),
        lambda: slots.put_checked(A, RESULT),
        lambda: slots.close(A, RESULT),
    ]
    for write in writes:
        with pytest.raises(LeaseLostError, match="export 20260301-12: another execution has this slot now"):
            write()
    assert items_of(TABLE) == items


def test_closing_frees_the_slot_and_can_be_repeated(slots: DynamoSlots) -> None:
    claim(slots, A)
    slots.put_job(A, JOB)
    slots.close(A, RESULT)
    assert slots.get(TEST, SLOT) == SlotRecord("", JOB, None, RESULT)
    before = items_of(TABLE)
    slots.close(A, RESULT)
    assert items_of(TABLE) == before, "again, by the same"
    with pytest.raises(LeaseLostError):
        slots.close(B, RESULT)
    with pytest.raises(LeaseLostError):
        slots.put_job(A, JOB)
    assert claim(slots, B) == B.execution, "it is free"
    with pytest.raises(LeaseLostError):
        slots.close(A, RESULT)
    assert slots.get(TEST, SLOT) == SlotRecord(B.execution, JOB, None, RESULT), "until the next one closes"


def test_multipart_uploads_are_noted(slots: DynamoSlots) -> None:
    provenance = Provenance("guid", "one", '"etag" ü', refetched=True)
    assert slots.begun("folder/A") is None
    slots.note("folder/A", Upload("first", provenance))
    slots.note("folder/A", Upload("second", provenance))
    assert slots.begun("folder/A") == Upload("second", provenance)
    assert slots.begun("folder/a") is None
    slots.forget("folder/A")
    slots.forget("folder/A")
    assert items_of(TABLE) == []


# Decisions


def decide(
    slots: DynamoSlots,
    export: Export,
    *running: Export,
    wanted: Slot | None = None,
    started: datetime = NOW,
    now: datetime = NOW,
) -> Decision:
    """Claim the hour of the start, or the `wanted` slot, for an execution."""
    executions = RunningExecutions({each.execution for each in running})
    slot_claim = SlotClaim(slots, executions, TEST, JOB.vendor, timedelta(hours=6))
    decision, slot = slot_claim.claim(export.execution, started, wanted, now)
    assert slot == (wanted or export.slot)
    return decision


def leave(slots: DynamoSlots, job: Job, slot: Slot = SLOT, environment: Environment = TEST) -> None:
    """Let an execution trigger a job and end."""
    export = Export(environment, slot, "before")
    claim(slots, export)
    slots.put_job(export, job)
    slots.close(export, RESULT)


@pytest.mark.parametrize("late", [timedelta(minutes=57, seconds=59), timedelta(minutes=58), timedelta(hours=3)])
def test_the_slot_is_the_hour_of_the_start_however_late_it_is(slots: DynamoSlots, late: timedelta) -> None:
    assert decide(slots, A, now=NOW + late) is Decision.TRIGGER
    last = SLOT.after().hour - timedelta(microseconds=1)
    assert decide(slots, A, started=last, now=last + late) is Decision.TRIGGER
    assert decide(slots, A, started=NOW.astimezone(timezone(timedelta(hours=2)))) is Decision.TRIGGER


def test_the_slot_of_another_execution_is_busy_until_that_has_ended(slots: DynamoSlots) -> None:
    assert decide(slots, A) == decide(slots, A) == Decision.TRIGGER, "a second attempt of the same execution too"
    assert slots.is_leased(TEST, SLOT, UNTIL)
    assert decide(slots, B, A) is Decision.BUSY
    assert decide(slots, B, A, now=UNTIL + timedelta(seconds=1)) is Decision.TRIGGER, "or its lease has"
    assert decide(slots, A) is Decision.TRIGGER


@pytest.mark.parametrize("state", [JobState.TRIGGERED, JobState.COMPLETE])
@pytest.mark.parametrize("wanted", [None, PAST])
def test_a_job_that_is_there_is_resumed(slots: DynamoSlots, state: JobState, wanted: Slot | None) -> None:
    leave(slots, replace(JOB, state=state), wanted or SLOT)
    assert decide(slots, A, wanted=wanted) is Decision.RESUME


@pytest.mark.parametrize(
    "useless", [replace(JOB, state=JobState.FAILED), replace(JOB, vendor="https://elsewhere.test")]
)
def test_a_job_that_failed_or_is_another_vendors_is_of_no_use(slots: DynamoSlots, useless: Job) -> None:
    leave(slots, useless)
    leave(slots, useless, PAST)
    leave(slots, JOB, PAST, PROD)
    assert decide(slots, A) is Decision.TRIGGER
    with pytest.raises(NoJobError, match=f"export {PAST}: there is no job of this slot to copy from"):
        decide(slots, A, wanted=PAST)


def test_an_hour_that_has_not_begun_is_refused(slots: DynamoSlots) -> None:
    with pytest.raises(NoJobError, match=f"export {SLOT.after()}: this hour has not begun"):
        decide(slots, A, wanted=SLOT.after())
    assert items_of(TABLE) == []


# Two at a time


def orders() -> list[str]:
    return [f"{'a' * begun}{'b' * other}" for begun in range(MOST_CALLS) for other in range(1, MOST_CALLS + 1)]


@pytest.mark.parametrize("before", ["free", "owner ended", "closed"])
def test_of_two_claims_at_once_one_succeeds(moto_stage: MotoStage, slots: DynamoSlots, before: str) -> None:
    for order in orders():
        clear_table(TABLE)
        if before != "free":
            claim(slots, replace(A, execution="ended"))
        if before == "closed":
            slots.close(replace(A, execution="ended"), RESULT)
        results = interleave(
            moto_stage.calls, order, a=lambda: decide(slots, A, A, B), b=lambda: decide(slots, B, A, B)
        )
        assert sorted(results.values()) == [Decision.BUSY, Decision.TRIGGER], order
        owner = next(lease for name, lease in (("a", A), ("b", B)) if results[name] is Decision.TRIGGER)
        slots.put_job(owner, JOB)


def test_a_claim_while_another_execution_ends(moto_stage: MotoStage, slots: DynamoSlots) -> None:
    """The slot is busy, or free with its job."""
    seen = set()
    for order in orders():
        clear_table(TABLE)
        claim(slots, A)

        def end() -> Decision:
            slots.put_job(A, replace(JOB, state=JobState.COMPLETE))
            record_result(A, {}, slots)
            return Decision.BUSY

        results = interleave(moto_stage.calls, order, a=end, b=lambda: decide(slots, B, A, B))
        assert results["b"] in {Decision.BUSY, Decision.RESUME}, order
        seen.add(results["b"])
    assert seen == {Decision.BUSY, Decision.RESUME}


def test_an_owner_that_was_taken_for_ended_stops_at_its_next_write(moto_stage: MotoStage, slots: DynamoSlots) -> None:
    for order in orders():
        clear_table(TABLE)
        claim(slots, A)

        def go_on() -> str:
            try:
                slots.put_job(A, JOB)
                slots.put_checked(A, RESULT)
                record_result(A, {}, slots)
            except LeaseLostError:
                return "stopped"
            return "closed"

        results = interleave(moto_stage.calls, order, a=go_on, b=lambda: str(decide(slots, B)))
        assert results["b"] in {"trigger", "resume"}
        slots.put_checked(B, RESULT)
        if results["a"] == "stopped":
            assert slots.get(TEST, SLOT).result is None, order
        assert claim(slots, A) == B.execution
