"""The state: the same whatever the order, repetition and grouping of what goes into it."""

from datetime import datetime, timedelta, timezone
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.completeness.catalog import HISTORICAL_JOB_SIZE
from sluice.vendor_exports.completeness.model import Observation
from sluice.vendor_exports.completeness.state import StateError, decode, encode, merge
from sluice.vendor_exports.completeness.tables import history_parquet
from tests.vendor_exports.unit.completeness.deliveries import FIRST, seen, settled, slots

NAMES = st.lists(st.text(max_size=5), unique=True, max_size=3).map(lambda names: tuple(sorted(names)))
SCHEMAS = st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), min_size=1, max_size=3).map(
    lambda tables: tuple(sorted(tables.items()))
)
OBSERVATIONS = st.builds(
    Observation,
    slot=st.sampled_from(slots(4)),
    observed_at=st.sampled_from([settled(FIRST), settled(FIRST) + timedelta(microseconds=1)]),
    files=st.integers(0, 2),
    size=st.integers(0, 2**62),
    tables=NAMES,
    schema=SCHEMAS,
)
GROUPS = st.lists(st.lists(OBSERVATIONS, max_size=6), max_size=5)


@given(GROUPS, st.randoms(use_true_random=False))
def test_merging_is_commutative_associative_and_idempotent(groups: list[list[Observation]], random: Random) -> None:
    once = merge(*groups)
    step_by_step: list[Observation] = []
    for group in random.sample(groups * 2, len(groups) * 2):
        step_by_step = merge(step_by_step, random.sample(group, len(group)))
    assert step_by_step == once
    assert encode(step_by_step) == encode(once)
    assert [each.slot for each in once] == sorted({each.slot for group in groups for each in group})


def test_the_later_look_holds() -> None:
    before, after = seen(FIRST, ["A", "B"]), Observation(FIRST, settled(FIRST) + timedelta(seconds=1), 0, 0, (), None)
    assert merge([after], [before]) == merge([before], [after]) == [after]


@given(st.lists(OBSERVATIONS))
def test_what_is_written_is_read(observations: list[Observation]) -> None:
    assert decode(encode(observations)) == observations


def test_times_are_kept_as_moments() -> None:
    elsewhere = settled(FIRST).astimezone(timezone(timedelta(hours=5)))
    (found,) = decode(encode([Observation(FIRST, elsewhere, 0, 0, (), None)]))
    assert found.observed_at == elsewhere
    assert found.observed_at.utcoffset() == timedelta(0)


def test_ten_thousand_hours_stay_small() -> None:
    tables = [f"SomeTableOfTheVendor{number}" for number in range(100)]
    many = [seen(slot, tables[number % 7 :], tables, size=number) for number, slot in enumerate(slots(10_000))]
    body = encode(many)
    assert len(body) < 500_000
    assert decode(body) == many


@pytest.mark.parametrize("body", [b"", b"PAR1", b"date,size\n", encode([seen(FIRST)])[:-5]])
def test_what_is_no_state(body: bytes) -> None:
    with pytest.raises(StateError, match=r"no observations.*initialise the history again"):
        decode(body)


def test_a_parquet_file_of_something_else() -> None:
    with pytest.raises(StateError):
        decode(history_parquet(HISTORICAL_JOB_SIZE, []))


def test_datetimes_are_exact() -> None:
    at = datetime.fromisoformat("2026-01-31T12:00:00.123456+00:00")
    assert decode(encode([Observation(FIRST, at, 0, 0, (), None)]))[0].observed_at == at
