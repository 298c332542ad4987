"""A run whose parts do not prove that every event became a row is not committed: nothing is marked, nothing deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from sluice.event_files.convert.batches import BatchError
from sluice.event_files.convert.committing import IncompleteRunError
from sluice.event_files.convert.model import receipts_key
from sluice.event_files.convert.planning import Planned
from sluice.event_files.ledger.model import CLEAN_PREFIX, DIRTY_PREFIX
from sluice.lake.object_store import commit_key
from tests.support.moto_backend import objects_of
from tests.support.moto_stage import LAKE, MotoStage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import assert_books_balance, ledger, tables

Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def planned(moto_stage: MotoStage) -> Planned:
    """A plan of three batches: rows of two tables, and dirty records."""
    first = body(event("MICROONE_EVENT", 1), event("MICROONE_EVENT", 2), event("MICROTWO_PRED", 3), broken(4))
    moto_stage.arrive("x/first", first)
    moto_stage.arrive("x/second", body(event("MICROTWO_PRED", 5), broken(6)))
    planned = moto_stage.plan("a")
    assert [batch.table for batch in moto_stage.read_plan(planned).batches] == ["MICROONE_EVENT", "MICROTWO_PRED", None]
    return planned


def test_receipts_are_missing(moto_stage: MotoStage, planned: Planned) -> None:
    moto_stage.convert_batches(planned)
    (group,) = moto_stage.read_plan(planned).groups
    moto_stage.lake.delete([receipts_key(group.run_id, group.group_id)])
    with pytest.raises(IncompleteRunError, match="left no receipts"):
        moto_stage.commit(planned)
    _assert_nothing_is_committed(planned)
    summary = moto_stage.convert("the next execution")
    assert summary is not None
    assert (summary.run_id, summary.rows) == (planned.run_id, {"MICROONE_EVENT": 2, "MICROTWO_PRED": 2})
    assert_books_balance()


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "a byte short": lambda lines: lines[:-1],
    "half": lambda lines: lines[: len(lines) // 2],
    "a line short": lambda lines: b"".join(lines.splitlines(keepends=True)[:-1]),
    "its last line blank": lambda lines: b"".join(lines.splitlines(keepends=True)[:-1]) + b"\n",
}


@pytest.mark.parametrize("prefix", [CLEAN_PREFIX, DIRTY_PREFIX])
def test_an_object_of_a_chunk_is_cut_short_or_gone(moto_stage: MotoStage, planned: Planned, prefix: str) -> None:
    key, whole = next(iter(objects_of(LAKE, prefix).items()))
    for name, cut in CUTS.items():
        moto_stage.lake.write(key, cut(whole))
        _assert_is_refused(moto_stage, planned, name)
    moto_stage.lake.delete([key])
    _assert_is_refused(moto_stage, planned, "deleted")
    moto_stage.lake.write(key, whole)
    assert moto_stage.convert() is not None
    assert {table: len(rows) for table, rows in tables().items()} == {
        "MICROONE_EVENT": 2,
        "MICROTWO_PRED": 2,
        "PROFILING_LOG": 6,
    }


def _assert_is_refused(moto_stage: MotoStage, planned: Planned, how: str) -> None:
    assert _is_noticed(moto_stage, planned), f"no batch noticed that the object is {how}"
    with pytest.raises(IncompleteRunError):
        moto_stage.commit(planned)
    _assert_nothing_is_committed(planned)


def _is_noticed(moto_stage: MotoStage, planned: Planned) -> bool:
    try:
        moto_stage.convert_batches(planned)
    except BatchError:
        return True
    return False


def _assert_nothing_is_committed(planned: Planned) -> None:
    assert planned.run_id
    assert len(ledger("chunk#pending")) == 2
    assert not ledger("chunk#converted")
    assert ledger("run"), "the run stays open for the next execution"
    assert objects_of(LAKE, CLEAN_PREFIX)
    assert commit_key(planned.run_id) not in objects_of(LAKE)
