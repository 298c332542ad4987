"""A run whose parts do not prove that every event became a row is not committed: nothing is marked, nothing deleted."""

import pytest

from sluice.event_files.convert.committing import IncompleteRunError
from sluice.event_files.convert.model import receipts_key
from sluice.event_files.convert.planning import Planned
from sluice.event_files.ledger.model import CLEAN_PREFIX
from sluice.lake.object_store import commit_key
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import assert_books_balance, ledger


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


def _assert_nothing_is_committed(planned: Planned) -> None:
    assert planned.run_id
    assert len(ledger("chunk#pending")) == 2
    assert not ledger("chunk#converted")
    assert ledger("run"), "the run stays open for the next execution"
    assert objects_of(LAKE, CLEAN_PREFIX)
    assert commit_key(planned.run_id) not in objects_of(LAKE)
