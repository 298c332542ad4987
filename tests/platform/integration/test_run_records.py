"""Records of runs in the lake, found again by time, kind and name."""

from datetime import UTC, datetime, timedelta

import pytest

from sluice.lake.object_store import iso
from sluice.pipelines import RUN_KINDS
from sluice.runs.model import RunRecord
from sluice.runs.records import LOOK_BACK, RunRecords
from tests.platform.unit.digest.sample_runs import run
from tests.support.moto.stage import MotoStage

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
RUN = "20260301T110000123456Z-1f2e3d4c"


def record(kind: str, start: datetime, subject: str = "", cause: str = "") -> RunRecord:
    counts = dict.fromkeys(RUN_KINDS[kind].counts, 0)
    return run(start, kind, "failed" if cause else "converted", subject=subject, cause=cause, counts=counts)


@pytest.fixture
def records(moto_stage: MotoStage) -> RunRecords:
    return RunRecords(moto_stage.lake, RUN_KINDS)


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)


def test_recent_runs_are_the_newest_first_across_hours_days_and_months(records: RunRecords) -> None:
    starts = [ago(hours=2), ago(minutes=1), ago(hours=11), ago(days=9), ago(days=30), ago(hours=3)]
    for start in starts:
        records.write(record("convert", start))
    found = records.recent(NOW, 10)
    assert [one.started_at for one in found] == [iso(start) for start in sorted(starts, reverse=True)]
    assert [one.started_at for one in records.recent(NOW, 2)] == [iso(ago(minutes=1)), iso(ago(hours=2))]


def test_recent_runs_of_a_kind(records: RunRecords) -> None:
    records.write(record("export", ago(days=3)))
    for minutes in range(5):
        records.write(record("convert", ago(minutes=minutes)))
    assert [one.kind for one in records.recent(NOW, 3, "export")] == ["export"]
    assert len(records.recent(NOW, 3, "convert")) == 3


def test_a_year_of_records_costs_no_more_than_a_month(records: RunRecords, moto_stage: MotoStage) -> None:
    for days in (40, 100, 364):
        records.write(record("convert", ago(days=days)))
    with moto_stage.calls.record() as operations:
        assert RunRecords(moto_stage.lake, RUN_KINDS).recent(NOW, 10) == []
    assert operations == ["ListObjectsV2"] * (LOOK_BACK.days + 1)
    records.write(record("convert", ago(minutes=5)))
    with moto_stage.calls.record() as operations:
        RunRecords(moto_stage.lake, RUN_KINDS).recent(NOW, 1)
    assert operations == ["ListObjectsV2", "GetObject"]


def test_between_two_moments_the_oldest_first(records: RunRecords) -> None:
    for hours in (1, 5, 24, 25, 26):
        records.write(record("export", ago(hours=hours)))
    found = records.between(ago(hours=25), ago(hours=1))
    assert [one.started_at for one in found] == [iso(ago(hours=hours)) for hours in (25, 24, 5)]


def test_found_by_its_id(records: RunRecords) -> None:
    one = record("history", ago(days=200))
    records.write(one)
    assert records.find(one.id) == one
    assert records.find(one.id.replace("history", "export")) is None


def test_a_conversion_is_found_by_its_run(records: RunRecords) -> None:
    start = datetime(2026, 3, 1, 10, 59, 50, tzinfo=UTC)  # its first step began cold: the run is planned later
    records.write(record("convert", start, RUN, cause="crashed"))
    assert records.find(RUN).outcome == "failed"  # type: ignore[union-attr]
    finished = record("convert", start + timedelta(minutes=15), RUN)
    records.write(finished)
    records.write(record("convert", start + timedelta(minutes=30), "another"))
    assert records.find(RUN) == finished
    assert records.find("20260301T120000123456Z-1f2e3d4c") is None
    assert records.find("nonsense") is None
