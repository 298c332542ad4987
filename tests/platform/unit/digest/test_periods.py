"""Spans: whole days, what they are compared with, and what has to be read."""

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
def test_a_span_ends_before_its_end(kind: PeriodKind, days: int, key: str, shown: str) -> None:
    span = Period(kind, SUNDAY)
    assert span.window == (SUNDAY - timedelta(days=days), SUNDAY)
    assert len(span.hours) == days * 24
    assert page_key(span) == key
    assert str(span) == shown
    assert span.window.holds(span.window.start)
    assert not span.window.holds(SUNDAY)


@pytest.mark.parametrize("kind", [DAY, WEEK])
def test_it_is_compared_with_the_same_days_of_four_weeks(kind: PeriodKind) -> None:
    span = Period(kind, SUNDAY)
    assert [(span.end - window.end).days for window in span.earlier] == [7, 14, 21, 28]
    assert {window.end - window.start for window in span.earlier} == {span.window.end - span.window.start}


@pytest.mark.parametrize("kind", PeriodKind)
def test_all_it_is_compared_with_is_known_and_no_more(kind: PeriodKind) -> None:
    span = Period(kind, SUNDAY)
    assert span.known == (min(window.start for window in [span.before, *span.earlier]), SUNDAY)
    assert span.before.end == span.window.start


def test_the_last_whole_span_ended_at_midnight_wherever_one_is() -> None:
    here = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert last_whole(DAY, here).end == datetime(2026, 11, 21, tzinfo=UTC)
    assert last_whole(DAY, SUNDAY).end == SUNDAY


def test_the_present_hour_is_in_the_span_up_to_now() -> None:
    now = SUNDAY + timedelta(hours=9, minutes=59)
    span = up_to(WEEK, now)
    assert span.window.holds(now)
    assert span.end - now < timedelta(hours=1)
    assert str(span) == "2026-11-15 10:00 to 2026-11-22 10:00"


def test_a_span_that_begins_within_an_hour_has_that_hour() -> None:
    span = Period(DAY, SUNDAY + timedelta(minutes=30))
    assert span.hours[0] <= span.window.start
    assert len(span.hours) == 25


def test_times_without_a_zone_are_utc() -> None:
    assert parse_time("2026-11-22") == parse_time("2026-11-22T00:00Z") == parse_time("2026-11-22T02:00+02:00") == SUNDAY
    with pytest.raises(ValueError, match="isoformat"):
        parse_time("yesterday")
