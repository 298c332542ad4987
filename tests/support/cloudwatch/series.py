"""Measured points of metrics, and their statistics by period."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
        self._points: defaultdict[Metric, list[Point]] = defaultdict(list)
        for metric, point in points:
            self._points[metric].append(point)
        for found in self._points.values():
            found.sort()
        self._statistics: dict[tuple[Metric, str, float, float], float | None] = {}

    def vector(self, metric: Metric, statistic: str, starts: Sequence[int], period: int) -> Vector:
        """Return a statistic of the periods, in seconds, that begin at these times."""
        return tuple(self._statistic(metric, statistic, start, start + period) for start in starts)

    def _statistic(self, metric: Metric, statistic: str, start: float, end: float) -> float | None:
        key = (metric, statistic, start, end)
        if key not in self._statistics:  # windows that slide ask for the same ones again
            points = self._points.get(metric, [])
            first, last = bisect_left(points, (start,)), bisect_left(points, (end,))
            values = [point.value for point in points[first:last]]
            self._statistics[key] = _STATISTICS[statistic](values) if values else None
        return self._statistics[key]


def _p99(values: Sequence[float]) -> float:
    """Return the value below which 99 % of the values lie, interpolated between neighbours."""
    ordered = sorted(values)
    below, share = divmod((len(ordered) - 1) * 0.99, 1)
    lower, upper = ordered[int(below)], ordered[min(int(below) + 1, len(ordered) - 1)]
    return lower + (upper - lower) * share


_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Minimum": min, "Maximum": max, "p99": _p99}


def points_of(lines: Iterable[str]) -> Iterator[tuple[Metric, Point]]:
    """Yield the points of the lines in CloudWatch's embedded metric format."""
    for line in lines:
        if '"_aws"' in line:
            with suppress(json.JSONDecodeError):
                yield from _points(json.loads(line))


def _points(document: dict[str, Any]) -> Iterator[tuple[Metric, Point]]:
    header = document["_aws"]
    for directive in header["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive["Metrics"]:
                found = document.get(metric["Name"], [])
                for value in found if isinstance(found, list) else [found]:
                    point = Point(header["Timestamp"] / 1000, float(value))
                    yield Metric.of(directive["Namespace"], metric["Name"], dimensions), point
