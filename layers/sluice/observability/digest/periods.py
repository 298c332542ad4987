"""Periods that digests are about, with the earlier ones they are compared with."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple


class PeriodKind(StrEnum):
    """Length of a period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


REPORTS_PREFIX = "data/reports/"
"""Pages of digests in the lake bucket."""


class Window(NamedTuple):
    """From `start` to before `end`, UTC."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment is in it."""
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class _Measure:
    """Days of a period, and the number of earlier periods, `step` days apart, whose median is the usual."""

    days: int
    step: int
    earlier: int


# A Sunday is compared with Sundays; what came on Friday is not new on Monday.
_MEASURES = {
    PeriodKind.DAY: _Measure(days=1, step=7, earlier=4),
    PeriodKind.WEEK: _Measure(days=7, step=7, earlier=4),
    PeriodKind.MONTH: _Measure(days=30, step=30, earlier=1),
}


@dataclass(frozen=True, slots=True)
class Period:
    """A day, week (7 days) or month (30 days) that ends before `end`, UTC."""

    kind: PeriodKind
    end: datetime

    @property
    def window(self) -> Window:
        """The time itself."""
        return Window(self.end - timedelta(days=_MEASURES[self.kind].days), self.end)

    @property
    def before(self) -> Window:
        """The time before, whose reasons are not new."""
        start = self.window.start
        return Window(start - timedelta(days=_MEASURES[self.kind].step), start)

    @property
    def earlier(self) -> list[Window]:
        """The times it is compared with, newest first: the same days of the week."""
        measure, (start, end) = _MEASURES[self.kind], self.window
        steps = [timedelta(days=measure.step * number) for number in range(1, measure.earlier + 1)]
        return [Window(start - step, end - step) for step in steps]

    @property
    def known(self) -> Window:
        """All of these: the records that a digest needs."""
        return Window(self.earlier[-1].start, self.end)

    @property
    def hours(self) -> list[datetime]:
        """The hours that begin in it, or in which it begins."""
        first = self.window.start.replace(minute=0, second=0, microsecond=0)
        count = -((first - self.end) // timedelta(hours=1))
        return [first + timedelta(hours=number) for number in range(count)]

    @property
    def last_day(self) -> str:
        """The last day that any of it is in, as ``2026-01-31``."""
        return f"{self.end - timedelta(microseconds=1):%Y-%m-%d}"

    def __str__(self) -> str:
        """Begin and end, days only where it holds whole ones."""
        start, end = self.window
        if end.time() != datetime.min.time():
            return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
        return self.last_day if self.kind is PeriodKind.DAY else f"{start:%Y-%m-%d} to {self.last_day}"


def parse_time(text: str) -> datetime:
    """Read a time, ISO 8601; one that names no zone is UTC.

    Raises:
        ValueError: The text is no time.
    """
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def last_whole(kind: PeriodKind, now: datetime) -> Period:
    """Return the period of whole days that ended last."""
    return Period(kind, now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))


def up_to(kind: PeriodKind, now: datetime) -> Period:
    """Return the period that holds the present hour and ends with it."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return Period(kind, hour + timedelta(hours=1))


def page_key(period: Period) -> str:
    """Return the key of a period's page: its kind and the last day in it."""
    return f"{REPORTS_PREFIX}{period.kind}-{period.last_day}.html"
