"""Measured points laid over time: what was measured once, repeated at the times it would happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.support.cloudwatch.series import Metric, Point, Series


@dataclass(frozen=True)
class Sample:
    """Points as they were measured, `at` in seconds since the measuring began."""

    points: tuple[tuple[Metric, Point], ...]

    def value(self, name: str) -> float:
        """The sum of a metric's points."""
        return sum(point.value for metric, point in self.points if metric.name == name)

    def only(self, *names: str) -> Sample:
        """The points of these metrics."""
        return Sample(tuple(found for found in self.points if found[0].name in names))

    def without(self, *names: str) -> Sample:
        """The points of all other metrics."""
        return Sample(tuple(found for found in self.points if found[0].name not in names))

    def __add__(self, other: Sample) -> Sample:
        """Both at once."""
        return Sample(self.points + other.points)


@dataclass
class Timeline:
    """Samples at their times."""

    points: list[tuple[Metric, Point]] = field(default_factory=list)

    def lay(self, sample: Sample, at: datetime) -> None:
        """Let a sample happen."""
        begin = at.timestamp()
        self.points += [(metric, Point(begin + point.at, point.value)) for metric, point in sample.points]

    def repeat(self, sample: Sample, every: timedelta, start: datetime, end: datetime) -> None:
        """Let a sample happen again and again, from `start` on and before `end`."""
        for at in moments(start, end, every):
            self.lay(sample, at)

    def series(self) -> Series:
        """All that happened."""
        return Series(self.points)


def moments(start: datetime, end: datetime, every: timedelta) -> Iterator[datetime]:
    """Times from `start` on and before `end`."""
    while start < end:
        yield start
        start += every
