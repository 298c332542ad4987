"""Durations of jobs, and the sentences that refuse a trigger."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.simulator.jobs import Timing, Wording

LAST = datetime(2026, 3, 1, 12, 34, 56, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wording", "written"),
    [
        (Wording.ISO, "2026-03-01T13:34:57Z"),
        (Wording.SPACED, "2026-03-01 13:34:57"),
        (Wording.AMERICAN, "03/01/2026 01:34:57 PM (UTC)"),
        (Wording.WORDS, "01 Mar 2026 13:34:57 UTC"),
        (Wording.HTTP, "Sun, 01 Mar 2026 13:34:57 GMT"),
        (Wording.SEVEN_DIGITS, "2026-03-01T13:34:57.0000000Z"),
        (Wording.OFFSET, "2026-03-01T13:34:57+00:00"),
        (Wording.MINUTES, "2026-03-01 13:35 UTC"),
        (Wording.TWO_TIMES, "2026-03-01 12:34:56. Next export allowed: 2026-03-01 13:34:57"),
        (Wording.NEVER, "0001-01-01T00:00:00Z"),
        (Wording.FAR_FUTURE, "9999-12-31T23:59:59Z"),
        (Wording.UNPARSABLE, "later"),
        (Wording.IMPOSSIBLE, "2026-02-31 25:61:00"),
    ],
)
def test_the_next_time_is_rounded_up(wording: Wording, written: str) -> None:
    assert written in wording.sentence(LAST, LAST + timedelta(hours=1))


def test_whole_seconds_are_not_rounded() -> None:
    even = LAST.replace(microsecond=0)
    assert "12:34:56Z" in Wording.ISO.sentence(even, even)


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "Initializing"), (90, "Running"), (1289, "Running"), (1290, "Complete")]
)
def test_the_status_follows_from_the_age(seconds: int, status: str) -> None:
    assert Timing().job_status(timedelta(seconds=seconds)) == status
    assert Timing(compression=10).job_status(timedelta(seconds=seconds / 10)) == status
    assert Timing(compression=10).between_triggers == timedelta(minutes=6)
