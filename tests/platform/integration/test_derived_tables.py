"""Tables that are made of something else, on moto: the table RUNS of the records of runs.

Whatever fails or comes between, each record is a row once.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sluice.aws import runtime
from sluice.lake.derived_tables_iceberg import DerivedTables
from sluice.pipelines import RUN_KINDS
from sluice.runs.model import RunRecord
from sluice.runs.publishing import publish_runs
from sluice.runs.records import RunRecords
from sluice.runs.runs_table import RUNS
from tests.platform.unit.digest.sample_runs import run
from tests.support.lake_tables import DATABASE, prepare_tables, rows_of
from tests.support.moto.aws_calls import READS, AwsUnavailableError, Interruption, KilledError, call_failures
from tests.support.moto.stage import LAKE, MotoStage

START = datetime(2026, 2, 28, 23, 50, tzinfo=UTC)


class RunsStage:
    """A stage whose runs end one after the other."""

    def __init__(self, stage: MotoStage) -> None:
        prepare_tables(LAKE)
        self.stage = stage
        self.records = RunRecords(stage.lake, RUN_KINDS)
        self.tables = DerivedTables(runtime.glue(), DATABASE, LAKE)
        self._numbers = count()

    def end(self, *starts: datetime) -> None:
        """Let runs that began then end together."""
        ended = [self._record(start) for start in starts]
        for record in ended:
            self.records.write(record)
        publish_runs(self.records, self.tables, [record.id for record in ended])

    def ids(self) -> list[str]:
        """Return the records that the table has."""
        found: list[str] = self.tables._load(RUNS).scan(selected_fields=("id",)).to_arrow()["id"].to_pylist()
        return sorted(found)

    def written(self) -> list[str]:
        """Return the records that there are."""
        return sorted(each.key.rpartition("/")[2].removesuffix(".json") for each in self.stage.lake.list("data/run_r"))

    def _record(self, start: datetime) -> RunRecord:
        counts = dict.fromkeys(RUN_KINDS["convert"].counts, next(self._numbers))
        return run(start, "convert", "converted", counts=counts, rows={"A": 3}, seconds=61.5)


@pytest.fixture
def runs(moto_stage: MotoStage) -> RunsStage:
    return RunsStage(moto_stage)


def test_a_record_is_a_row_value_for_value(runs: RunsStage) -> None:
    runs.end(START)
    (row,) = rows_of(LAKE)[RUNS]
    (written,) = runs.records.rows_of(START)
    assert [row[key] for key in ("year", "month", "day", "hour")] == [2026, 2, 28, 23]
    assert row["started_at"] == START.replace(tzinfo=None)
    assert row["ended_at"] == (START + timedelta(seconds=61.5)).replace(tzinfo=None)
    assert {name: row[name] for name in written if not name.endswith("_at")} == {
        name: value for name, value in written.items() if not name.endswith("_at")
    }


def test_each_day_is_one_file_and_what_is_there_already_is_not_written_again(runs: RunsStage) -> None:
    runs.end(START, START + timedelta(minutes=20))
    runs.end(START + timedelta(minutes=25))
    assert runs.ids() == runs.written()
    newest, before = runs.tables.snapshots(RUNS)
    assert (newest.files, newest.rows, newest.rows_added, newest.rows_removed) == (2, 3, 2, 1)
    with runs.stage.calls.record() as operations:
        publish_runs(runs.records, runs.tables, runs.written())
    assert READS.issuperset(operations)
    runs.tables.roll_back(RUNS, before.snapshot_id, newest.snapshot_id)
    publish_runs(runs.records, runs.tables, runs.written())
    assert runs.ids() == runs.written(), "after a roll-back a day is whole again with its next run"


def test_every_crash_then_the_message_again(runs: RunsStage) -> None:
    days = _days()
    runs.end(next(days))
    with runs.stage.calls.record() as operations:
        runs.end(day := next(days))
    assert operations.count("UpdateTable") == 1
    for trouble in call_failures(operations):
        if operations[trouble.at - 1] in READS:
            continue  # as if it had died after the write before
        runs.end(day := next(days))
        record = runs._record(day + timedelta(hours=1))
        with runs.stage.calls.intercept(trouble), suppress(AwsUnavailableError, KilledError):
            runs.records.write(record)
            publish_runs(runs.records, runs.tables, [record.id])
        runs.records.write(record)
        publish_runs(runs.records, runs.tables, [record.id])
        assert runs.ids() == runs.written(), str(trouble)


def test_another_run_of_the_day_ends_between_any_two_calls(runs: RunsStage) -> None:
    days = _days()
    runs.end(day := next(days))
    with runs.stage.calls.record() as operations:
        runs.end(day + timedelta(minutes=1))
    moments = [at for at, each in enumerate(operations, 1) if each not in READS - {"GetTable", "ListObjectsV2"}]
    for at in moments:
        runs.end(day := next(days))

        def happen(twin: datetime = day + timedelta(hours=2)) -> None:
            with runs.stage.calls.intercept(_call):
                runs.end(twin)

        with runs.stage.calls.intercept(Interruption(at, happen)):
            runs.end(day + timedelta(hours=1))
        assert runs.ids() == runs.written(), f"{operations[at - 1]}, call {at}"


def test_metadata_do_not_grow_with_the_days(runs: RunsStage) -> None:
    days = _days()
    for _ in range(24):
        runs.end(day := next(days))
    assert _manifests(runs) < 20, "those of days become one"
    before = _manifests(runs)
    for hours in range(1, 7):
        runs.end(day + timedelta(minutes=hours))
        assert _manifests(runs) <= before + 1, "nor do those stay that tell of files that were replaced"
    assert runs.ids() == runs.written()


def _manifests(runs: RunsStage) -> int:
    table = runs.tables._load(RUNS)
    newest = table.current_snapshot()
    assert newest is not None
    return len(newest.manifests(table.io))


def _days() -> Iterator[datetime]:
    return (START + timedelta(days=number) for number in count())


def _call(_operation: str, call: Callable[[], object]) -> object:
    return call()
