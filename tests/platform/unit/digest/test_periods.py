"""Periods of digests: whole days, and the earlier periods they are compared with."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sluice.observability.digest.periods import Period, PeriodKind, last_whole, page_key, parse_time, up_to

SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)
DAY, WEEK, MONTH = PeriodKind


@pytest.mark.parametrize(
    ("kind", "days", "key", "shown"),
    [
        (DAY, 1, "data/reports/day-2026-11-21.html", "2026-11-21"),
        (WEEK, 7, "data/reports/week-2026-11-21.html", "2026-11-15 to 2026-11-21"),
        (MONTH, 30, "data/reports/month-2026-11-21.html", "2026-10-23 to 2026-11-21"),
    ],
)
def test_window_key_and_title_of_a_period(kind: PeriodKind, days: int, key: str, shown: str) -> None:
    period = Period(kind, SUNDAY)
    assert period.window == (SUNDAY - timedelta(days=days), SUNDAY)
    assert len(period.hours) == days * 24
    assert page_key(period) == key
    assert str(period) == shown
    assert period.window.holds(period.window.start)
    assert not period.window.holds(SUNDAY)


@pytest.mark.parametrize("kind", [DAY, WEEK])
def test_it_is_compared_with_the_same_days_of_four_weeks(kind: PeriodKind) -> None:
    period = Period(kind, SUNDAY)
    assert [(period.end - window.end).days for window in period.earlier] == [7, 14, 21, 28]
    assert {window.end - window.start for window in period.earlier} == {period.window.end - period.window.start}


@pytest.mark.parametrize("kind", PeriodKind)
def test_the_known_window_covers_all_that_is_compared(kind: PeriodKind) -> None:
    period = Period(kind, SUNDAY)
    assert period.known == (min(window.start for window in [period.before, *period.earlier]), SUNDAY)
    assert period.before.end == period.window.start


def test_the_last_whole_period_ended_at_midnight_utc() -> None:
    here = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert last_whole(DAY, here).end == datetime(2026, 11, 21, tzinfo=UTC)
    assert last_whole(DAY, SUNDAY).end == SUNDAY


def test_the_present_hour_is_in_the_period_up_to_now() -> None:
    now = SUNDAY + timedelta(hours=9, minutes=59)
    period = up_to(WEEK, now)
    assert period.window.holds(now)
    assert period.end - now < timedelta(hours=1)
    assert str(period) == "2026-11-15 10:00 to 2026-11-22 10:00"


def test_a_period_that_begins_within_an_hour_has_that_hour() -> None:
    period = Period(DAY, SUNDAY + timedelta(minutes=30))
    assert period.hours[0] <= period.window.start
    assert len(period.hours) == 25


def test_times_without_a_zone_are_utc() -> None:
    assert parse_time("2026-11-22") == parse_time("2026-11-22T00:00Z") == parse_time("2026-11-22T02:00+02:00") == SUNDAY
    with pytest.raises(ValueError, match="isoformat"):
        parse_time("yesterday")
