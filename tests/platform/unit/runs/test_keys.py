"""Keys of run records."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sluice.runs.records import RecordIdError, day_prefix, days_between, record_id, record_key, record_of_key, start_of

START = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
ID = "export-20260102T030405Z-1f2e3d4c"


def test_a_record_lies_in_the_hour_of_its_start_unpadded() -> None:
    assert record_id("export", START, "1f2e3d4c") == ID
    assert record_id("export", START.astimezone(timezone(timedelta(hours=-9))), "1f2e3d4c") == ID
    key = f"data/run_records/year=2026/month=1/day=2/hour=3/{ID}.json"
    assert record_key(ID) == key
    assert record_of_key(key) == ID
    assert key.startswith(day_prefix(START))
    assert start_of(ID) == START.replace(microsecond=0)


@pytest.mark.parametrize("text", ["", "20260102T030405678901Z-1f2e3d4c", "export-2026-1", "arn:aws:states:x:y:e:m-a-b"])
def test_other_names_are_no_records(text: str) -> None:
    with pytest.raises(RecordIdError):
        record_key(text)


def test_days_between_two_moments() -> None:
    days = days_between(START, START + timedelta(days=2, hours=-4))
    assert [day.day for day in days] == [2, 3]
    assert [day.day for day in days_between(START, START)] == [2]
    assert days_between(START, START - timedelta(days=1)) == []
