"""Metric math: the part of CloudWatch's expressions that alarms use, by a small interpreter.

Values are numbers, series (one value per period, None: missing) and lists of series. Whatever is done with a missing
value, or divided by zero, is missing.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from tests.support.cloudwatch.bands import Band
from tests.support.cloudwatch.series import Vector


class ExpressionError(ValueError):
    """The expression is none that can be evaluated here."""


Value = float | Vector | list["Value"] | Band


class Scope(Protocol):
    """Where an expression's names and periods come from."""

    @property
    def period(self) -> int:
        """Seconds of a period."""
        ...

    @property
    def count(self) -> int:
        """Number of periods."""
        ...

    def value(self, name: str) -> Value:
        """The value of another query."""
        ...


def evaluate(expression: str, scope: Scope) -> Value:
    """Evaluate an expression.

    Raises:
        ExpressionError: It has a function or a form that is not known here.
    """
    try:
        tree = ast.parse(_as_python(expression), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"{expression!r} cannot be read") from error
    return _Interpreter(expression, scope).visit(tree.body)


def _as_python(expression: str) -> str:
    words = {"AND": "and", "OR": "or", "&&": " and ", "||": " or "}
    joined = " ".join(expression.split())
    return re.sub(r"\bAND\b|\bOR\b|&&|\|\|", lambda found: words[found[0]], joined).strip()


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
        return self._by_point(*self._operation(node))

    def _operation(self, node: ast.expr) -> tuple[Callable[..., float | None], list[ast.expr]]:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return operator.neg, [operand]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)], [left, right]
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)], [left, right]
            case ast.BoolOp(op=op, values=parts):
                return _all if isinstance(op, ast.And) else _any, parts
        raise self._unknown(ast.unparse(node))

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        match name, arguments:
            case "IF", [condition, then, *other]:
                return self._choose(condition, then, other)
            case "FILL", [series, replacement]:
                return self._fill(self._series(series), replacement)
            case "PERIOD", [_]:
                return float(self.scope.period)
            case (("MAX" | "MIN" | "SUM" | "AVG"), [argument]):
                return self._reduce(_REDUCERS[name], self.visit(argument))
            case "ANOMALY_DETECTION_BAND", [series, *deviations]:
                width = ast.literal_eval(deviations[0]) if deviations else 2
                return Band(self._series(series), float(width), self.scope.period)
        raise self._unknown(name)

    def _by_point(self, function: Callable[..., float | None], nodes: list[ast.expr]) -> Value:
        values = [self.visit(node) for node in nodes]
        if all(isinstance(value, float) for value in values):
            return _or_nan(function(*values))
        return tuple(
            None if None in points else function(*points)
            for points in zip(*(self._spread(value) for value in values), strict=True)
        )

    def _choose(self, condition: ast.expr, then: ast.expr, other: list[ast.expr]) -> Value:
        tests = self._spread(self.visit(condition))
        ways = [self._spread(self.visit(node)) for node in (then, *other)]
        if not other:
            ways.append((None,) * self.scope.count)
        return tuple(None if test is None else yes if test else no for test, yes, no in zip(tests, *ways, strict=True))

    def _fill(self, series: Vector, replacement: ast.expr) -> Vector:
        if isinstance(replacement, ast.Name) and replacement.id == "REPEAT":
            return _repeated(series)
        values = self._spread(self.visit(replacement))
        return tuple(other if found is None else found for found, other in zip(series, values, strict=True))

    def _reduce(self, reducer: Callable[[list[float]], float], value: Value) -> Value:
        if not isinstance(value, list):
            present = [point for point in self._spread(value) if point is not None]
            return _or_nan(reducer(present) if present else None)
        found = zip(*(self._spread(part) for part in value), strict=True)
        columns = ([point for point in points if point is not None] for points in found)
        return tuple(reducer(column) if column else None for column in columns)

    def _series(self, node: ast.expr) -> Vector:
        return self._spread(self.visit(node))

    def _spread(self, value: Value) -> Vector:
        if isinstance(value, float):
            return ((None if math.isnan(value) else value),) * self.scope.count
        if isinstance(value, tuple):
            return value
        raise self._unknown("a list or a band where a series belongs")

    def _unknown(self, what: str) -> ExpressionError:
        return ExpressionError(f"{self.expression!r}: {what} is not known here")


def _repeated(series: Vector) -> Vector:
    filled: list[float | None] = []
    for value in series:
        filled.append(filled[-1] if value is None and filled else value)
    return tuple(filled)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _compared(compare: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda left, right: float(compare(left, right))


def _all(*values: float) -> float:
    return float(all(values))


def _any(*values: float) -> float:
    return float(any(values))


_REDUCERS: dict[str, Callable[[list[float]], float]] = {"MAX": max, "MIN": min, "SUM": sum, "AVG": fmean}
_OPERATORS: dict[type, Callable[..., float | None]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
    ast.Lt: _compared(operator.lt),
    ast.LtE: _compared(operator.le),
    ast.Gt: _compared(operator.gt),
    ast.GtE: _compared(operator.ge),
    ast.Eq: _compared(operator.eq),
    ast.NotEq: _compared(operator.ne),
}
