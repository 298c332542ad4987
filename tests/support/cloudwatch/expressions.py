"""Metric math of alarms: numbers, vectors (one value per period, None: missing), lists of vectors, anomaly bands.

What is done with a missing value, or divided by zero, is missing. Expressions of CloudWatch are read as Python; what no
alarm uses is an error.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat
from statistics import fmean, pstdev
from typing import Any

from tests.support.cloudwatch.series import Vector

BAND_FUNCTION = "ANOMALY_DETECTION_BAND"
HISTORY_SECONDS = 14 * 86_400
LEAST_HISTORY = 24  # periods with data


@dataclass(frozen=True, slots=True)
class Values:
    """A vector that can be calculated with."""

    vector: Vector

    def __add__(self, other: "Number") -> "Values":
        return _by_point(operator.add, self, other)

    def __sub__(self, other: "Number") -> "Values":
        return _by_point(operator.sub, self, other)

    def __mul__(self, other: "Number") -> "Values":
        return _by_point(operator.mul, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: "Number") -> "Values":
        return _by_point(lambda left, right: left / right if right else None, self, other)

    def __gt__(self, other: "Number") -> "Values":
        return _by_point(operator.gt, self, other)

    def __ge__(self, other: "Number") -> "Values":
        return _by_point(operator.ge, self, other)


Number = Values | float


@dataclass(frozen=True, slots=True)
class Band:
    """The usual values of each period: mean ± `width` standard deviations of the periods before it.

    It approximates CloudWatch's anomaly detection, whose models also know hours, weekdays and trends.
    """

    values: Values
    width: float

    def upper_limits(self, count: int, period: int) -> Vector:
        """Return the upper ends of the last `count` periods; None where too little is known before."""
        places = range(len(self.values.vector) - count, len(self.values.vector))
        return tuple(self._upper_limit(place, HISTORY_SECONDS // period) for place in places)

    def _upper_limit(self, place: int, history: int) -> float | None:
        known = [value for value in self.values.vector[max(0, place - history) : place] if value is not None]
        return fmean(known) + self.width * pstdev(known) if len(known) >= LEAST_HISTORY else None


def evaluate(expression: str, known: Mapping[str, Any]) -> Any:
    """Return the value of an expression over the values of other queries, by their ids."""
    return eval(expression, {"__builtins__": {}, **_FUNCTIONS}, known)  # noqa: S307 - of this repository's alarms


def _if(condition: Values, then: Number, other: Number) -> Values:
    columns = zip(condition.vector, _points(then), _points(other), strict=False)
    return Values(tuple(None if test is None else yes if test else no for test, yes, no in columns))


def _fill(values: Values, missing: float) -> Values:
    return Values(tuple(missing if point is None else point for point in values.vector))


def _sum(parts: list[Values]) -> Values:
    columns = ([point for point in points if point is not None] for points in zip(*map(_points, parts), strict=True))
    return Values(tuple(sum(column) if column else None for column in columns))


_FUNCTIONS = {"IF": _if, "SUM": _sum, "FILL": _fill, BAND_FUNCTION: Band}


def _by_point(function: Callable[[Any, Any], float | None], left: Values, right: Number) -> Values:
    columns = zip(left.vector, _points(right), strict=False)
    return Values(tuple(None if None in points else function(*points) for points in columns))


def _points(value: Number) -> Any:
    return value.vector if isinstance(value, Values) else repeat(value)
