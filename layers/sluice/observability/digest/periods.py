"""The time a digest is about, and the times it is compared with."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple


class SpanKind(StrEnum):
    """How long."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Window(NamedTuple):
    """From `start` to before `end`, UTC."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment is in it."""
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class _Measure:
    """Days of a span, days looked back for what is new, and the days between the spans whose median is the usual."""

    days: int
    looked_back: int
    step: int
    earlier: int


# A Sunday is compared with Sundays; what came on Friday is not new on Monday.
_MEASURES = {
    SpanKind.DAY: _Measure(days=1, looked_back=7, step=7, earlier=4),
    SpanKind.WEEK: _Measure(days=7, looked_back=7, step=7, earlier=4),
    SpanKind.MONTH: _Measure(days=30, looked_back=30, step=30, earlier=1),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A day, week (7 days) or month (30 days) that ends before `end`, UTC."""

    kind: SpanKind
    end: datetime

    @property
    def window(self) -> Window:
        """The time itself."""
        return Window(self.end - timedelta(days=_MEASURES[self.kind].days), self.end)

    @property
    def before(self) -> Window:
        """The time in which nothing may have been for it to be new."""
        start = self.window.start
        return Window(start - timedelta(days=_MEASURES[self.kind].looked_back), start)

    @property
    def earlier(self) -> list[Window]:
        """The times it is compared with, newest first: the same days of the week."""
        measure, (start, end) = _MEASURES[self.kind], self.window
        steps = [timedelta(days=measure.step * number) for number in range(1, measure.earlier + 1)]
        return [Window(start - step, end - step) for step in steps]

    @property
    def known(self) -> Window:
        """All of these: what one has to read."""
        return Window(min(self.before.start, self.earlier[-1].start), self.end)

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
        return self.last_day if self.kind is SpanKind.DAY else f"{start:%Y-%m-%d} to {self.last_day}"


def moment(text: str) -> datetime:
    """Read a time, ISO 8601; one that names no zone is UTC.

    Raises:
        ValueError: The text is no time.
    """
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def last_whole(kind: SpanKind, now: datetime) -> Span:
    """Return the span of whole days that ended last."""
    return Span(kind, now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))


def up_to(kind: SpanKind, now: datetime) -> Span:
    """Return the span that holds the present hour and ends with it."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return Span(kind, hour + timedelta(hours=1))
