"""The records of slots on DynamoDB: one owner at a time, whoever asks in whatever order."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice.vendor_exports.delivery.claim_slot import Beginning, Decision
from sluice.vendor_exports.delivery.model import Account, Job, JobState, Lease, Provenance
from sluice.vendor_exports.delivery.ports import LeaseLostError
from sluice.vendor_exports.delivery.record_result import close
from sluice.vendor_exports.delivery.slots import Environment, Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from tests.support.interleave import interleave
from tests.support.storage import empty, items_of
from tests.support.tap import Interruption
from tests.support.world import LEDGER, Running, World

TABLE = LEDGER  # has the keys of the table of slots
TEST, PROD = Environment.TEST, Environment.PROD
SLOT = Slot(datetime(2026, 3, 1, 12, tzinfo=UTC))
NOW = SLOT.hour + timedelta(minutes=2)
UNTIL = NOW + timedelta(hours=6)
A, B = (Lease(TEST, SLOT, f"arn:aws:states:here:1:execution:export:{name}") for name in "ab")
JOB = Job("guid", "https://export.test", JobState.TRIGGERED)
ACCOUNT = Account("20260301-12", "incomplete", "folder/", 3, 1, 1, 9, ("A",), ("T",), {"A": "why"}, "cause")
MOST_CALLS = 5  # DynamoDB calls of one begin


@pytest.fixture
def slots(world: World) -> DynamoSlots:
    return DynamoSlots(world.dynamodb, TABLE)


def test_a_slot_nobody_knows(slots: DynamoSlots) -> None:
    assert slots.job(TEST, SLOT) is None
    assert slots.account(TEST, SLOT) is None
    assert slots.findings(A) is None


def test_a_lease(slots: DynamoSlots) -> None:
    assert slots.claim(A, NOW, UNTIL) is None
    assert slots.claim(A, NOW, UNTIL) is None, "again, by the same"
    assert slots.claim(B, NOW, UNTIL) == A.execution
    assert slots.claim(B, UNTIL, UNTIL) == A.execution, "to its last second"
    assert slots.claim(replace(B, environment=PROD), NOW, UNTIL) is None
    assert slots.claim(replace(B, slot=SLOT.after()), NOW, UNTIL) is None
    later = UNTIL + timedelta(seconds=1)
    assert slots.claim(B, later, later + timedelta(hours=6)) is None
    assert slots.claim(A, later, UNTIL) == B.execution


def test_a_lease_is_taken_over_from_its_owner_only(slots: DynamoSlots) -> None:
    slots.claim(A, NOW, UNTIL)
    assert not slots.take_over(B, "somebody else", UNTIL)
    assert slots.take_over(B, A.execution, UNTIL)
    assert not slots.take_over(replace(A, execution="third"), A.execution, UNTIL)
    assert slots.claim(A, NOW, UNTIL) == B.execution


def test_a_slot_that_is_freed_before_its_owner_is_read(world: World, slots: DynamoSlots) -> None:
    """There is no owner to name: nobody can be asked whether it runs."""
    slots.claim(A, NOW, UNTIL)
    with world.tap.around(Interruption(2, lambda: close(A, {}, DynamoSlots(world.dynamodb, TABLE)))):
        assert slots.claim(B, NOW, UNTIL) is None
    slots.put_job(B, JOB)


def test_what_belongs_to_the_slot_and_what_to_its_owner(slots: DynamoSlots) -> None:
    slots.claim(A, NOW, UNTIL)
    slots.put_job(A, JOB)
    slots.put_findings(A, ACCOUNT)
    assert slots.findings(A) == ACCOUNT
    slots.take_over(B, A.execution, UNTIL)
    assert slots.job(TEST, SLOT) == JOB
    assert slots.findings(B) is None, "what the other found says nothing of this one"


def test_who_lost_the_lease_writes_nothing(slots: DynamoSlots) -> None:
    slots.claim(A, NOW, UNTIL)
    slots.take_over(B, A.execution, UNTIL)
    before = items_of(TABLE)
    writes: list[Callable[[], None]] = [
        lambda: slots.put_job(A, JOB),
        lambda: slots.put_findings(A, ACCOUNT),
        lambda: slots.close(A, ACCOUNT),
    ]
    for write in writes:
        with pytest.raises(LeaseLostError, match="export 20260301-12: another execution has this slot now"):
            write()
    assert items_of(TABLE) == before


def test_who_never_had_it_writes_nothing(slots: DynamoSlots) -> None:
    with pytest.raises(LeaseLostError):
        slots.put_job(A, JOB)
    with pytest.raises(LeaseLostError):
        slots.close(A, ACCOUNT)
    assert items_of(TABLE) == []


def test_closing(slots: DynamoSlots) -> None:
    slots.claim(A, NOW, UNTIL)
    slots.put_job(A, JOB)
    slots.close(A, ACCOUNT)
    assert slots.account(TEST, SLOT) == ACCOUNT
    before = items_of(TABLE)
    slots.close(A, ACCOUNT)
    assert items_of(TABLE) == before, "again, by the same"
    with pytest.raises(LeaseLostError):
        slots.close(B, ACCOUNT)
    with pytest.raises(LeaseLostError):
        slots.put_job(A, JOB)
    assert slots.claim(B, NOW, UNTIL) is None, "it is free"
    with pytest.raises(LeaseLostError):
        slots.close(A, ACCOUNT)
    assert slots.account(TEST, SLOT) == ACCOUNT, "until the next one closes"
    assert slots.job(TEST, SLOT) == JOB


def test_uploads(slots: DynamoSlots) -> None:
    provenance = Provenance("guid", "one", '"etag" ü', refetched=True)
    assert slots.begun("folder/A") is None
    slots.note("folder/A", "first", provenance)
    slots.note("folder/A", "second", provenance)
    assert slots.begun("folder/A") == ("second", provenance)
    assert slots.begun("folder/a") is None
    slots.forget("folder/A")
    slots.forget("folder/A")
    assert slots.begun("folder/A") is None
    assert items_of(TABLE) == []


def test_the_largest_account_fits_with_the_findings_before_it(slots: DynamoSlots) -> None:
    names = tuple(f"{number:04}{'x' * 71}" for number in range(400))
    largest = replace(
        ACCOUNT, missing=names, missing_tables=names, reasons=dict.fromkeys(names, "x" * 200), cause="x" * 1000
    )
    slots.claim(A, NOW, UNTIL)
    slots.put_findings(A, largest)
    slots.close(A, largest)
    assert slots.account(TEST, SLOT) == largest


# Two at a time


def begin(slots: DynamoSlots, lease: Lease, *running: Lease) -> Decision:
    executions = Running()
    executions.names.update(each.execution for each in running)
    beginning = Beginning(slots, executions, TEST, JOB.vendor, timedelta(hours=6))
    return beginning.begin(lease.execution, NOW, None, NOW)[0]


def orders() -> list[str]:
    return [f"{'a' * begun}{'b' * other}" for begun in range(MOST_CALLS) for other in range(1, MOST_CALLS + 1)]


@pytest.mark.parametrize("before", ["free", "dead owner", "closed"])
def test_two_begin_at_once_and_one_of_them_works(world: World, slots: DynamoSlots, before: str) -> None:
    for order in orders():
        empty(TABLE)
        if before != "free":
            slots.claim(replace(A, execution="dead"), NOW, UNTIL)
        if before == "closed":
            slots.close(replace(A, execution="dead"), ACCOUNT)
        results = interleave(world.tap, order, a=lambda: begin(slots, A, A, B), b=lambda: begin(slots, B, A, B))
        assert sorted(results.values()) == [Decision.BUSY, Decision.TRIGGER], order
        owner = next(lease for name, lease in (("a", A), ("b", B)) if results[name] is Decision.TRIGGER)
        slots.put_job(owner, JOB)


def test_one_begins_while_another_ends(world: World, slots: DynamoSlots) -> None:
    """The slot is busy or free, and whoever finds it free finds its job."""
    seen = set()
    for order in orders():
        empty(TABLE)
        slots.claim(A, NOW, UNTIL)

        def end() -> Decision:
            slots.put_job(A, replace(JOB, state=JobState.COMPLETE))
            close(A, {}, slots)
            return Decision.BUSY

        results = interleave(world.tap, order, a=end, b=lambda: begin(slots, B, A, B))
        assert results["b"] in {Decision.BUSY, Decision.RESUME}, order
        seen.add(results["b"])
    assert seen == {Decision.BUSY, Decision.RESUME}


def test_an_owner_taken_for_dead_goes_on(world: World, slots: DynamoSlots) -> None:
    """Whoever has the slot last has the last word; the other stops at its next write."""
    for order in orders():
        empty(TABLE)
        slots.claim(A, NOW, UNTIL)

        def go_on() -> str:
            try:
                slots.put_job(A, JOB)
                slots.put_findings(A, ACCOUNT)
                close(A, {}, slots)
            except LeaseLostError:
                return "stopped"
            return "closed"

        results = interleave(world.tap, order, a=go_on, b=lambda: str(begin(slots, B)))
        assert results["b"] in {"trigger", "resume"}
        slots.put_findings(B, ACCOUNT)
        if results["a"] == "stopped":
            assert slots.account(TEST, SLOT) is None, order
        assert slots.claim(A, NOW, UNTIL) == B.execution


def test_orders_are_all_there_are() -> None:
    assert len(orders()) == len(set(orders())) == len(list(itertools.product(range(MOST_CALLS), repeat=2)))
