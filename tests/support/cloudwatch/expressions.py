"""Metric math of alarms: numbers, series (one value per period, None: missing), lists of series, anomaly bands.

What is done with a missing value, or divided by zero, is missing. Forms that no alarm has are errors.
"""

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from tests.support.cloudwatch.series import Vector

BAND_FUNCTION = "ANOMALY_DETECTION_BAND"
HISTORY_SECONDS = 14 * 86_400
LEAST_HISTORY = 24  # periods with data


class ExpressionError(ValueError):
    """The expression is none that can be evaluated here."""


@dataclass(frozen=True, slots=True)
class Band:
    """The usual values of each period: mean ± `width` standard deviations of the periods before it.

    It approximates CloudWatch's anomaly detection, whose models also know hours, weekdays and trends.
    """

    series: Vector
    width: float
    period: int

    def limits(self, count: int) -> tuple[Vector, Vector]:
        """Return the lower and the upper ends of the last `count` periods; None where too little is known before."""
        found = [self._limits(place) for place in range(len(self.series) - count, len(self.series))]
        return tuple(lower for lower, _ in found), tuple(upper for _, upper in found)

    def _limits(self, place: int) -> tuple[float, float] | tuple[None, None]:
        first = max(0, place - HISTORY_SECONDS // self.period)
        known = [value for value in self.series[first:place] if value is not None]
        if len(known) < LEAST_HISTORY:
            return None, None
        middle = fmean(known)
        spread = math.sqrt(fmean((value - middle) ** 2 for value in known))
        return middle - self.width * spread, middle + self.width * spread


Value = float | Vector | list["Value"] | Band


class Scope(Protocol):
    """The queries of an alarm, by their ids, and the periods that are looked at."""

    @property
    def period(self) -> int: ...

    @property
    def count(self) -> int: ...

    def value(self, name: str) -> Value: ...


def evaluate(expression: str, scope: Scope) -> Value:
    """Return the value of an expression. Raises ExpressionError."""
    try:
        tree = ast.parse(" ".join(expression.split()), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"{expression!r} cannot be read") from error
    return _Interpreter(expression, scope).visit(tree.body)


@dataclass(frozen=True, slots=True)
class _Interpreter:
    expression: str
    scope: Scope

    def visit(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self.scope.value(name)
            case ast.List(elts=parts):
                return [self.visit(part) for part in parts]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return self._by_point(_OPERATORS[type(op)], left, right)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return self._by_point(_OPERATORS[type(op)], left, right)
        raise self._unknown(ast.unparse(node))

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        match name, arguments:
            case "IF", [condition, then, other]:
                tests, yes, no = (self._series(node) for node in (condition, then, other))
                return tuple(None if t is None else y if t else n for t, y, n in zip(tests, yes, no, strict=True))
            case (("MAX" | "MIN" | "SUM"), [ast.List(elts=parts)]):
                return self._reduce(_REDUCERS[name], [self._series(part) for part in parts])
            case "ANOMALY_DETECTION_BAND", [series, width]:
                return Band(self._series(series), float(ast.literal_eval(width)), self.scope.period)
        raise self._unknown(name)

    def _by_point(self, function: Callable[[float, float], float | None], *nodes: ast.expr) -> Vector:
        columns = zip(*(self._series(node) for node in nodes), strict=True)
        return tuple(None if None in points else function(*points) for points in columns)

    def _reduce(self, reducer: Callable[[list[float]], float], parts: list[Vector]) -> Vector:
        columns = ([point for point in points if point is not None] for points in zip(*parts, strict=True))
        return tuple(reducer(column) if column else None for column in columns)

    def _series(self, node: ast.expr) -> Vector:
        value = self.visit(node)
        if isinstance(value, float):
            return (value,) * self.scope.count
        if isinstance(value, tuple):
            return value
        raise self._unknown("a list or a band where a series belongs")

    def _unknown(self, what: str) -> ExpressionError:
        return ExpressionError(f"{self.expression!r}: {what} is not known here")


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _compared(compare: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda left, right: float(compare(left, right))


_REDUCERS: dict[str, Callable[[list[float]], float]] = {"MAX": max, "MIN": min, "SUM": sum}
_OPERATORS: dict[type, Callable[[float, float], float | None]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
    ast.Lt: _compared(operator.lt),
    ast.LtE: _compared(operator.le),
    ast.Gt: _compared(operator.gt),
    ast.GtE: _compared(operator.ge),
}
_COMPARISONS: dict[str, Callable[[float, float, float], bool]] = {
    "GreaterThanThreshold": lambda value, _, upper: value > upper,
    "GreaterThanOrEqualToThreshold": lambda value, _, upper: value >= upper,
    "LessThanThreshold": lambda value, lower, _: value < lower,
    "LessThanOrEqualToThreshold": lambda value, lower, _: value <= lower,
    "GreaterThanUpperThreshold": lambda value, _, upper: value > upper,
    "LessThanLowerThreshold": lambda value, lower, _: value < lower,
}


def comparison(name: str) -> Callable[[float, float, float], bool]:
    """Return the function of a comparison operator: of a value, a lower and an upper limit."""
    if name not in _COMPARISONS:
        raise ExpressionError(f"comparison {name} is not known")
    return _COMPARISONS[name]
