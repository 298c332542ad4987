"""An initialisation covers its range exactly, with its parts in any order and repetition."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.completeness.history_files import history_plan_key, part_key
from sluice.vendor_exports.completeness.initialise_history import (
    InitialisationError,
    Part,
    merge_parts,
    observe_part,
    parts_of,
    write_plan,
)
from sluice.vendor_exports.delivery.model import Slot, slots_between
from tests.vendor_exports.unit.completeness.deliveries import FIRST, TEST, Bucket, job, settled, slots

LAST = FIRST.after(24 * 20)
NOW = settled(LAST)


@given(st.integers(0, 30), st.integers(0, 2000))
def test_parts_cover_the_range(offset: int, hours: int) -> None:
    first = FIRST.after(offset)
    parts = list(parts_of("run", TEST, first, first.after(hours)))
    covered = [slot for part in parts for slot in slots_between(Slot.parse(part.first), Slot.parse(part.last))]
    assert covered == list(slots_between(first, first.after(hours)))
    assert [part.part for part in parts] == [f"{number:05}" for number in range(len(parts))]
    assert all(part.first.endswith("-00") for part in parts[1:]), "no day is cut"


def test_the_plan_is_what_a_map_reads() -> None:
    bucket = Bucket()
    parts = write_plan(bucket, "run", TEST, FIRST, LAST, NOW)
    items = json.loads(bucket.objects[history_plan_key("run")])["parts"]
    hours = {"first": "20260130-20", "last": "20260205-23"}
    assert items[0] == {"run_id": "run", "part": "00000", "environment": "Test", **hours}
    assert [Part(**item) for item in items] == parts


def test_only_settled_hours_are_planned() -> None:
    last = write_plan(Bucket(), "run", TEST, FIRST, LAST, NOW - timedelta(seconds=1))[-1].last
    assert last == str(LAST.after(-1))


@pytest.mark.parametrize(("first", "last"), [(FIRST.after(), FIRST), (LAST.after(), LAST.after(9))])
def test_a_range_without_settled_hours_is_refused(first: Slot, last: Slot) -> None:
    with pytest.raises(InitialisationError, match="give a range in the past"):
        write_plan(Bucket(), "run", TEST, first, last, NOW)


def test_hours_before_the_first_delivery_are_rows_too() -> None:
    bucket = Bucket()
    bucket.deliver(FIRST.after(3), job(["A"]))
    bucket.initialise(FIRST, LAST, NOW)
    assert bucket.dates() == [str(slot) for slot in slots_between(FIRST, LAST)]


def test_a_part_that_was_not_observed() -> None:
    bucket = Bucket()
    first, *_ = write_plan(bucket, "run", TEST, FIRST, LAST, NOW)
    observe_part(bucket, first, NOW)
    before = dict(bucket.objects)
    with pytest.raises(InitialisationError, match=f"{part_key('run', '00001')} is missing.*start a new one"):
        merge_parts(bucket, bucket.publisher, "run")
    assert bucket.objects == before
    with pytest.raises(InitialisationError, match=r"plan\.json is missing"):
        merge_parts(bucket, bucket.publisher, "another")


def test_every_step_may_be_repeated() -> None:
    bucket = Bucket()
    bucket.deliver(FIRST.after(3), job(["A"]))
    bucket.initialise(FIRST, LAST, NOW)
    once = dict(bucket.objects)
    assert merge_parts(bucket, bucket.publisher, "run") == len(slots(24 * 20 + 1))
    bucket.initialise(FIRST, LAST, NOW)
    assert bucket.objects == once
