"""The state of the histories is the same for any order, repetition and grouping of observations."""

from datetime import timedelta, timezone
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.lake.parquet import to_parquet
from sluice.vendor_exports.completeness.history_files import HISTORICAL_JOB_SIZE
from sluice.vendor_exports.completeness.history_formats import arrow_table
from sluice.vendor_exports.completeness.observation_file import StateError, read_observations, write_observations
from sluice.vendor_exports.completeness.observations import merge
from sluice.vendor_exports.completeness.slot_history import Observation
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
    assert write_observations(step_by_step) == write_observations(once)
    assert [each.slot for each in once] == sorted({each.slot for group in groups for each in group})


def test_the_later_observation_counts() -> None:
    before, after = seen(FIRST, ["A", "B"]), Observation(FIRST, settled(FIRST) + timedelta(seconds=1), 0, 0, (), None)
    assert merge([after], [before]) == merge([before], [after]) == [after]


@given(st.lists(OBSERVATIONS))
def test_what_is_written_is_read(observations: list[Observation]) -> None:
    assert read_observations(write_observations(observations)) == observations


def test_times_are_kept_as_moments() -> None:
    elsewhere = settled(FIRST).astimezone(timezone(timedelta(hours=5)))
    (found,) = read_observations(write_observations([Observation(FIRST, elsewhere, 0, 0, (), None)]))
    assert found.observed_at == elsewhere
    assert found.observed_at.utcoffset() == timedelta(0)


def test_ten_thousand_hours_stay_small() -> None:
    tables = [f"SomeTableOfTheVendor{number}" for number in range(100)]
    many = [seen(slot, tables[number % 7 :], tables, size=number) for number, slot in enumerate(slots(10_000))]
    body = write_observations(many)
    assert len(body) < 500_000
    assert read_observations(body) == many


ANOTHER_TABLE = to_parquet(arrow_table(HISTORICAL_JOB_SIZE, []))


@pytest.mark.parametrize("body", [b"", b"PAR1", b"date,size\n", write_observations([seen(FIRST)])[:-5], ANOTHER_TABLE])
def test_bytes_that_are_no_state(body: bytes) -> None:
    with pytest.raises(StateError, match=r"no observations.*initialise the history again"):
        read_observations(body)
