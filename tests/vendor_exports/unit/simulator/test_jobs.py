"""Durations of jobs, and the sentences that refuse a trigger."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.simulator.jobs import Timing, Wording

LAST = datetime(2026, 3, 1, 12, 34, 56, 1, tzinfo=UTC)


def test_the_next_time_is_rounded_up() -> None:
    after = LAST + timedelta(hours=1)
    assert "2026-03-01T13:34:57Z" in Wording.ISO.sentence(LAST, after)
    assert "2026-03-01 13:35 UTC" in Wording.MINUTES.sentence(LAST, after)
    assert "13:34:56Z" in Wording.ISO.sentence(LAST, after.replace(microsecond=0))


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "Initializing"), (90, "Running"), (1289, "Running"), (1290, "Complete")]
)
def test_the_status_follows_from_the_age(seconds: int, status: str) -> None:
    assert Timing().job_status(timedelta(seconds=seconds)) == status
    assert Timing(compression=10).job_status(timedelta(seconds=seconds / 10)) == status
    assert Timing(compression=10).between_triggers == timedelta(minutes=6)
