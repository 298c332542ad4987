"""Measured points of metrics, and their statistics by period."""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple, Self

Vector = tuple[float | None, ...]
"""One value per period, the oldest first; None where there is no data."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: the same name with other dimensions is another one."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> Self:
        return cls(namespace, name, frozenset((dimensions or {}).items()))


class Point(NamedTuple):
    """A measured value; `at` in seconds since the epoch."""

    at: float
    value: float


class Series:
    """The points of many metrics."""

    def __init__(self, points: Iterable[tuple[Metric, Point]] = ()) -> None:
        self._points: dict[Metric, list[Point]] = {}
        self._times: dict[Metric, list[float]] = {}
        self._statistics: dict[tuple[Metric, str, float, float], float | None] = {}
        self.extend(points)

    def extend(self, points: Iterable[tuple[Metric, Point]]) -> None:
        self._statistics.clear()
        touched = set()
        for metric, point in points:
            self._points.setdefault(metric, []).append(point)
            touched.add(metric)
        for metric in touched:
            self._points[metric].sort()
            self._times[metric] = [point.at for point in self._points[metric]]

    def __iter__(self) -> Iterator[tuple[Metric, Point]]:
        for metric, points in self._points.items():
            for point in points:
                yield metric, point

    def values(self, metric: Metric, start: float, end: float) -> list[float]:
        """Return the values from `start` on and before `end`."""
        times = self._times.get(metric, [])
        first = bisect_left(times, start)
        last = bisect_left(times, end, first)
        return [point.value for point in self._points[metric][first:last]] if last > first else []

    def statistic(self, name: str, metric: Metric, start: float, end: float) -> float | None:
        """Return a statistic of these values; windows that slide ask for the same ones again."""
        key = (metric, name, start, end)
        if key not in self._statistics:
            self._statistics[key] = aggregate(name, self.values(metric, start, end))
        return self._statistics[key]


@dataclass(frozen=True, slots=True)
class Windows:
    """So many periods, one after the other, up to `end`; `period` in seconds."""

    end: int
    period: int
    count: int

    def vector(self, series: Series, metric: Metric, statistic: str) -> Vector:
        starts = (self.end - back * self.period for back in range(self.count, 0, -1))
        return tuple(series.statistic(statistic, metric, start, start + self.period) for start in starts)


def aggregate(statistic: str, values: Sequence[float]) -> float | None:
    """Return a statistic, by CloudWatch's name for it, of a period's values; None when there are none."""
    if not values:
        return None
    return percentile(values, float(statistic[1:])) if statistic.startswith("p") else _STATISTICS[statistic](values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which so many percent of the values lie, interpolated between neighbours."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": fmean,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": lambda values: float(len(values)),
}


def points_of(lines: Iterable[str]) -> Iterator[tuple[Metric, Point]]:
    """Yield the points of the lines in CloudWatch's embedded metric format."""
    for line in lines:
        if '"_aws"' in line:
            yield from _points(_document(line))


def _document(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _points(document: dict[str, Any]) -> Iterator[tuple[Metric, Point]]:
    header = document.get("_aws", {})
    at = header.get("Timestamp", 0) / 1000
    for directive in header.get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            for metric in directive["Metrics"]:
                found = document.get(metric["Name"], [])
                for value in found if isinstance(found, list) else [found]:
                    yield Metric.of(directive["Namespace"], metric["Name"], dimensions), Point(at, float(value))
