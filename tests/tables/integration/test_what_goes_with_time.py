"""Snapshots and files go when no reader and no open run can need them any more, and never before."""

from datetime import timedelta

import pytest

from sluice.lake.object_store import table_prefix
from sluice.lake.parquet import to_parquet
from sluice.vendor_exports.completeness.history_files import HISTORICAL_JOB_METRICS
from tests.support.lake_tables import columns_of
from tests.tables.integration.upkeep_stage import GRACE, TABLE, WEEK, UpkeepStage, upkeep_stage

__all__ = ["upkeep_stage"]

_DAY = timedelta(days=1)


def test_replaced_files_go_a_run_after_their_snapshots(upkeep_stage: UpkeepStage) -> None:
    replaced = {upkeep_stage.add() for _ in range(4)}
    upkeep_stage.compact()
    planned, before = upkeep_stage.plan(), upkeep_stage.rows()
    summary = upkeep_stage.finish(planned, GRACE + _DAY)
    assert (summary.snapshots_expired, replaced <= upkeep_stage.objects()) == (0, True)
    assert upkeep_stage.finish(planned, WEEK + _DAY).snapshots_expired == 3, "the newest run's stays, and the newest"
    assert replaced <= upkeep_stage.objects(), "a reader may just have begun with a snapshot that goes"
    assert not upkeep_stage.finish(planned, WEEK + _DAY).snapshots_expired
    assert replaced <= upkeep_stage.objects(), "the newest run's snapshot has them"
    upkeep_stage.add(10)
    upkeep_stage.finish(planned, WEEK + 2 * _DAY)
    assert upkeep_stage.finish(planned, WEEK + 2 * _DAY).bytes_deleted
    assert not replaced & upkeep_stage.objects()
    assert upkeep_stage.rows()[:-1] == before
    metadata = len(upkeep_stage.stage.keys(f"{table_prefix(TABLE)}metadata/"))
    assert metadata < 30, "nor does metadata stay that nothing refers to"


def test_what_an_attempt_left_goes_after_the_grace_period(upkeep_stage: UpkeepStage) -> None:
    kept = {upkeep_stage.add() for _ in range(2)}
    _, late = upkeep_stage.new_file()
    kept.add(upkeep_stage.add())
    planned = upkeep_stage.plan()
    upkeep_stage.work(planned)
    twice = upkeep_stage.plan()
    upkeep_stage.finish(twice)
    assert late in upkeep_stage.objects()
    summary = upkeep_stage.finish(twice, GRACE + _DAY)
    assert late not in upkeep_stage.objects()
    assert summary.objects_deleted >= 1
    assert kept <= upkeep_stage.objects()


@pytest.mark.parametrize("committed", [False, True])
def test_an_open_run_may_be_as_old_as_it_likes(upkeep_stage: UpkeepStage, committed: bool) -> None:
    """Before its commit its files stay; after one whose answer was lost, the next attempt adds nothing."""
    for _ in range(3):
        upkeep_stage.add()
    run_id, key = upkeep_stage.new_file()
    if committed:
        upkeep_stage.tables.append(TABLE, run_id, [key])
    before = set(upkeep_stage.rows())
    upkeep_stage.compact()
    for days in (30, 31, 32):
        upkeep_stage.finish(upkeep_stage.plan(), timedelta(days=days))
    upkeep_stage.tables.append(TABLE, run_id, [key])
    rows = upkeep_stage.rows()
    assert len(rows) == len(set(rows)) == 4
    assert before <= set(rows)


def test_what_others_commit_tells_nothing_of_an_open_run(upkeep_stage: UpkeepStage) -> None:
    """A newer commit to a table without hours is none of Convert's, whatever its id looks like."""
    table, schema = HISTORICAL_JOB_METRICS.name, columns_of(HISTORICAL_JOB_METRICS)
    key = f"{table_prefix(table)}20990101T000000000000Z-0000000f.parquet"
    upkeep_stage.stage.lake.write(key, to_parquet(schema.empty_table()))
    upkeep_stage.tables.append(table, "20990101T000000000000Z-0000000f", [key])
    assert upkeep_stage.tables.snapshots(table)
    assert upkeep_stage.tables.references(table).newest_run == ""
    assert key in upkeep_stage.tables.references(table).keys


def test_a_snapshot_that_was_the_newest_until_now_stays(upkeep_stage: UpkeepStage) -> None:
    """However old it is: readers that began before the compaction still read its files."""
    for _ in range(2):
        upkeep_stage.add()
    newest = upkeep_stage.tables.snapshots(TABLE)[0]
    moment = newest.committed_at + timedelta(milliseconds=1)
    upkeep_stage.compact()
    upkeep_stage.tables.expire(TABLE, moment)
    kept = upkeep_stage.tables.snapshots(TABLE)
    assert [each.snapshot_id for each in kept[1:]] == [newest.snapshot_id]
