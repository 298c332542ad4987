"""Compaction on moto: many files become few, and every reader at every moment sees each row once."""

import io
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.contracts.model import Column, Table
from sluice.lake.object_store import parquet_key
from sluice.lake.parquet import rows_of, to_parquet
from sluice.tables.planning import Plan
from tests.support.lake_tables import data_files
from tests.support.moto.aws_calls import (
    READS,
    AwsUnavailableError,
    Interruption,
    KilledError,
    call_failures,
    undisturbed,
)
from tests.support.moto.stage import LAKE
from tests.tables.integration.upkeep_stage import DAY, GRACE, TABLE, WEEK, UpkeepStage, upkeep_stage

__all__ = ["upkeep_stage"]


def test_small_files_of_an_hour_become_one_in_order_of_time(upkeep_stage: UpkeepStage) -> None:
    for hour in (9, 10, 9, 10, 9, 11):
        upkeep_stage.add(hour)
    before = upkeep_stage.tables._load(TABLE).scan().to_arrow().sort_by("_source_key")
    summary = upkeep_stage.compact()
    assert upkeep_stage.tables._load(TABLE).scan().to_arrow().sort_by("_source_key") == before, "value for value"
    done = summary.tables[TABLE]
    assert (done.files_before, done.files_after, done.rows, done.duplicates) == (5, 2, 5, 0)
    assert len(upkeep_stage.files()) == 3, "one an hour"
    for key in upkeep_stage.files():
        file = pq.read_table(io.BytesIO(data_files(LAKE)[key]))
        assert file["date_time"].to_pylist() == sorted(file["date_time"].to_pylist())
        assert all(field.metadata[b"PARQUET:field_id"] for field in file.schema)
    assert not upkeep_stage.plan().groups, "there is nothing left to do"
    assert not summary.left


def test_a_table_that_has_no_time_is_compacted_too(upkeep_stage: UpkeepStage, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, tables, hour = upkeep_stage.stage.lake, upkeep_stage.tables, f"{DAY}T09"
    tables.prepare(Table("COUNTS", (Column("n", (), "bigint", ""),), ""))
    monkeypatch.setattr(tables, "names", lambda: ["COUNTS"])
    for number in (2, 1):
        key = parquet_key("COUNTS", hour, f"run-{number}")
        lake.write(
            key, to_parquet(rows_of(pa.table({"n": [number]}), hour, upkeep_stage.stage.columns.schema("COUNTS")))
        )
        tables.append("COUNTS", f"run-{number}", [key])
    assert upkeep_stage.compact().tables["COUNTS"].files_after == 1
    assert tables._load("COUNTS").scan().to_arrow()["n"].to_pylist() in ([1, 2], [2, 1])


def test_what_is_unpacked_is_bounded_and_what_is_too_large_is_named(upkeep_stage: UpkeepStage) -> None:
    for _ in range(4):
        upkeep_stage.add()
    (group,) = upkeep_stage.plan(TABLE.lower()).groups
    files = [pq.read_table(io.BytesIO(data_files(LAKE)[key])) for key in group.rewrites[0].files]
    before, unpacked = upkeep_stage.rows(), max(file.nbytes for file in files)
    upkeep_stage.max_bytes = 2 * unpacked
    assert upkeep_stage.compact().tables[TABLE].files_after == 2, "in two parts"
    upkeep_stage.max_bytes = unpacked
    assert upkeep_stage.compact().left == {TABLE: [f"{DAY}T09"]}
    assert upkeep_stage.rows() == before


def test_events_that_came_twice_stay_once_where_that_is_asked_for(upkeep_stage: UpkeepStage) -> None:
    for event_id in ("one", "one", "two"):
        upkeep_stage.add(event_id=event_id)
    assert upkeep_stage.compact().tables[TABLE].duplicates == 0
    upkeep_stage.unique = "id"
    upkeep_stage.add(event_id="two")
    assert upkeep_stage.compact().tables[TABLE].duplicates == 2, "one that came after a compaction, too"
    assert len(upkeep_stage.rows()) == 2


def test_a_run_that_commits_between_any_two_calls_is_kept(upkeep_stage: UpkeepStage) -> None:
    """And a reader there sees each row once."""
    planned, _ = _prepared(upkeep_stage)
    with upkeep_stage.calls.record() as operations:
        upkeep_stage.work(planned)
    for at in _moments(operations):
        planned, before = _prepared(upkeep_stage)

        def happen(before: list[str] = before) -> None:
            with upkeep_stage.calls.intercept(undisturbed):
                assert upkeep_stage.rows() == before
                upkeep_stage.add()

        with upkeep_stage.calls.intercept(Interruption(at, happen)):
            upkeep_stage.work(planned)
        assert upkeep_stage.rows()[:-1] == before, at
        assert len(upkeep_stage.files()) == 2, "the new file, and the one that the others became"


@pytest.mark.filterwarnings("default:Failed to delete old metadata")  # the commit is made; it is tidied up later
def test_every_crash_then_another_attempt(upkeep_stage: UpkeepStage) -> None:
    for _ in range(2):  # the second has objects to delete
        planned, _ = _prepared(upkeep_stage)
        with upkeep_stage.calls.record() as operations:
            upkeep_stage.work(planned)
            upkeep_stage.finish(planned, WEEK + GRACE)
    assert operations.count("UpdateTable") == 2, "one that replaces files, one that removes snapshots"
    assert "DeleteObjects" in operations
    for trouble in call_failures(operations):
        if operations[trouble.at - 1] in READS:
            continue  # as if it had died after the write before
        planned, before = _prepared(upkeep_stage)
        with upkeep_stage.calls.intercept(trouble), suppress(AwsUnavailableError, KilledError):
            upkeep_stage.work(planned)
            upkeep_stage.finish(planned, WEEK + GRACE)
        assert upkeep_stage.rows() == before, str(trouble)
        upkeep_stage.work(planned)
        summary = upkeep_stage.finish(planned)
        assert upkeep_stage.rows() == before, str(trouble)
        assert len(upkeep_stage.files()) == 1
        assert summary.tables[TABLE].files_after == 1, "counted once, however many attempts there were"


def test_a_second_attempt_at_the_same_time_replaces_nothing(upkeep_stage: UpkeepStage) -> None:
    planned, _ = _prepared(upkeep_stage)
    with upkeep_stage.calls.record() as operations:
        upkeep_stage.work(planned)
    for at in _moments(operations):
        planned, before = _prepared(upkeep_stage)

        def happen(planned: Plan = planned) -> None:
            with upkeep_stage.calls.intercept(undisturbed):
                upkeep_stage.work(planned)

        with upkeep_stage.calls.intercept(Interruption(at, happen)):
            upkeep_stage.work(planned)
        assert upkeep_stage.rows() == before
        assert len(upkeep_stage.files()) == 1


def test_files_that_a_roll_back_took_away_are_given_up(upkeep_stage: UpkeepStage) -> None:
    planned, before = _prepared(upkeep_stage)
    newest, earlier, *_ = upkeep_stage.tables.snapshots(TABLE)
    upkeep_stage.tables.roll_back(TABLE, earlier.snapshot_id, newest.snapshot_id)
    upkeep_stage.work(planned)
    assert upkeep_stage.rows() == before[:-1]
    assert not upkeep_stage.finish(planned).left, "a single file is none too many"


def _prepared(stage: UpkeepStage) -> tuple[Plan, list[str]]:
    """Return a plan for two small files or more, and the rows there are."""
    for _ in range(2):
        stage.add()
    planned = stage.plan(TABLE)
    assert len(planned.groups) == 1
    return planned, stage.rows()


def _moments(operations: list[str]) -> list[int]:
    """Return the places of the calls before which another's commit makes a difference; objects never change."""
    return [at for at, operation in enumerate(operations, start=1) if operation not in READS - {"GetTable"}]
