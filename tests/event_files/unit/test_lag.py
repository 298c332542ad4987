"""Lag of the lake."""

from datetime import UTC, datetime, timedelta

from sluice.event_files.ledger.model import Lag, lag

NOW = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)


def test_an_empty_lake_has_no_age() -> None:
    found = lag(None, {}, NOW)
    assert found == Lag(0.0, {})
    assert found.newest_row is None


def test_a_table_is_as_old_as_the_end_of_its_newest_hour_and_the_lake_as_its_newest_table() -> None:
    hours = {"B": datetime(2026, 11, 22, 5, tzinfo=UTC), "A": datetime(2026, 11, 21, 5, tzinfo=UTC)}
    found = lag(NOW - timedelta(minutes=20), hours, NOW)
    assert found.pending == 20 * 60
    assert list(found.tables.items()) == [("A", 25.5 * 3600), ("B", 1.5 * 3600)]
    assert found.newest_row == 1.5 * 3600


def test_the_hour_that_is_going_on_has_no_age_and_nor_has_a_clock_that_is_ahead() -> None:
    found = lag(NOW + timedelta(seconds=5), {"A": datetime(2026, 11, 22, 7, tzinfo=UTC)}, NOW)
    assert (found.pending, found.newest_row) == (0.0, 0.0)
