"""What passes, and how long a server asks to wait."""

from datetime import UTC, datetime, timedelta

import pytest

from sluice.http.patience import LONGEST_WAIT, Patience
from sluice.http.retrying import passes, retry_after

NOW = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
IN_TWO_MINUTES = ("Sun, 01 Mar 2026 12:12:00 GMT", "Sunday, 01-Mar-26 12:12:00 GMT", "Sun Mar  1 12:12:00 2026")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        *((header, 120) for header in ("120", " 120 ", "120.0", "120s", "120 seconds", *IN_TWO_MINUTES)),
        *((header, 0) for header in ("0", "Sun, 01 Mar 2026 11:00:00 GMT")),
        ("1.5", 1.5),
        ("9" * 400, 1e9),
        *((header, None) for header in ("", "-1", "soon", "1e3", "nan", "Sun, 99 Mar 2026 12:12:00 GMT")),
    ],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_statuses_that_pass() -> None:
    assert {status for status in range(100, 600) if passes(status)} == {408, 421, 425, 429} | set(range(500, 600)) - {
        501,
        505,
    }


@pytest.mark.parametrize(
    ("asked", "waited", "wait"),
    [
        (None, 0, 60),
        (0, 0, 30),
        (29.5, 0, 30),
        (100.9, 0, 101),
        (1e300, 0, LONGEST_WAIT),
        (None, 4440, 60),
        (None, 4441, None),
        (100, 4400, None),
    ],
)
def test_patience(asked: float | None, waited: int, wait: int | None) -> None:
    assert Patience(4500, usual=60, shortest=30).wait(asked, waited) == wait


def test_patience_ends_whatever_is_asked_for() -> None:
    assert timedelta(seconds=sum(_waits(0.0))) <= timedelta(seconds=4500)


def _waits(asked: float) -> list[int]:
    patience, waits = Patience(4500, usual=60, shortest=30), list[int]()
    while (wait := patience.wait(asked, sum(waits))) is not None:
        waits.append(wait)
    return waits
