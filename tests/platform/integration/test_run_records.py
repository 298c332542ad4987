"""Records of runs in the lake, found again by time, kind and name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice.aws import clients
from sluice.event_files.convert.model import iso
from sluice.runs.keys import record_id
from sluice.runs.model import COUNTS, Kind, RunRecord
from sluice.runs.records_s3 import LOOK_BACK, S3RunRecords
from tests.support.world import LAKE, World

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
RUN = "20260301T110000123456Z-1f2e3d4c"


def record(kind: Kind, start: datetime, digest: str = "00000000", subject: str = "", cause: str = "") -> RunRecord:
    return RunRecord(
        id=record_id(kind.value, start, digest),
        kind=kind,
        subject=subject,
        started_by="",
        started_at=iso(start),
        ended_at=iso(start + timedelta(minutes=1)),
        seconds=60.0,
        outcome="failed" if cause else "converted",
        cause=cause,
        counts=dict.fromkeys(COUNTS[kind], 0),
    )


@pytest.fixture
def records(world: World) -> S3RunRecords:
    assert world
    return S3RunRecords(clients.s3(), LAKE)


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)


def test_written_twice_is_one_object_with_the_same_bytes(records: S3RunRecords, world: World) -> None:
    one = record(Kind.CONVERT, NOW)
    records.write(one)
    (key,) = world.keys("data/run_records/")
    body = world.s3.get_object(Bucket=LAKE, Key=key)["Body"].read()
    records.write(one)
    assert world.keys("data/run_records/") == [key]
    assert world.s3.get_object(Bucket=LAKE, Key=key)["Body"].read() == body
    assert body.count(b"\n") == 1
    assert body.endswith(b"\n")


def test_recent_runs_are_the_newest_first_across_hours_days_and_months(records: S3RunRecords) -> None:
    starts = [ago(hours=2), ago(minutes=1), ago(hours=11), ago(days=9), ago(days=30), ago(hours=3)]
    for start in starts:
        records.write(record(Kind.CONVERT, start))
    found = records.recent(NOW, 10)
    assert [one.started_at for one in found] == [iso(start) for start in sorted(starts, reverse=True)]
    assert [one.started_at for one in records.recent(NOW, 2)] == [iso(ago(minutes=1)), iso(ago(hours=2))]


def test_recent_runs_of_a_kind(records: S3RunRecords) -> None:
    records.write(record(Kind.EXPORT, ago(days=3)))
    for minutes in range(5):
        records.write(record(Kind.CONVERT, ago(minutes=minutes)))
    assert [one.kind for one in records.recent(NOW, 3, Kind.EXPORT)] == [Kind.EXPORT]
    assert len(records.recent(NOW, 3, Kind.CONVERT)) == 3


def test_a_year_of_records_costs_no_more_than_a_month(records: S3RunRecords, world: World) -> None:
    for days in (40, 100, 364):
        records.write(record(Kind.CONVERT, ago(days=days)))
    with world.tap.listen() as operations:
        assert S3RunRecords(world.s3, LAKE).recent(NOW, 10) == []
    assert operations == ["ListObjectsV2"] * (LOOK_BACK.days + 1)
    records.write(record(Kind.CONVERT, ago(minutes=5)))
    with world.tap.listen() as operations:
        S3RunRecords(world.s3, LAKE).recent(NOW, 1)
    assert operations == ["ListObjectsV2", "GetObject"]


def test_between_two_moments_the_oldest_first(records: S3RunRecords) -> None:
    for hours in (1, 5, 24, 25, 26):
        records.write(record(Kind.EXPORT, ago(hours=hours)))
    found = records.between(ago(hours=25), ago(hours=1))
    assert [one.started_at for one in found] == [iso(ago(hours=hours)) for hours in (25, 24, 5)]


def test_found_by_its_id(records: S3RunRecords) -> None:
    one = record(Kind.HISTORY, ago(days=200))
    records.write(one)
    assert records.find(one.id) == one
    assert records.find(one.id.replace("history", "export")) is None


def test_a_conversion_is_found_by_its_run(records: S3RunRecords) -> None:
    start = datetime(2026, 3, 1, 11, tzinfo=UTC)
    records.write(record(Kind.CONVERT, start, "aaaaaaaa", RUN, cause="crashed"))
    assert records.find(RUN).outcome == "failed"  # type: ignore[union-attr]
    finished = record(Kind.CONVERT, start + timedelta(minutes=15), "bbbbbbbb", RUN)
    records.write(finished)
    records.write(replace(record(Kind.CONVERT, start + timedelta(minutes=30), "cccccccc"), subject="another"))
    assert records.find(RUN) == finished
    assert records.find("20260301T120000123456Z-1f2e3d4c") is None
    assert records.find("nonsense") is None
