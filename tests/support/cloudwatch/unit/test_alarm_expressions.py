"""Metric math, over series of three periods."""

from dataclasses import dataclass, field

import pytest

from tests.support.cloudwatch.definitions import Alarms, Query
from tests.support.cloudwatch.evaluation import evaluate as evaluate_alarms
from tests.support.cloudwatch.expressions import LEAST_HISTORY, ExpressionError, Value, evaluate
from tests.support.cloudwatch.series import Metric, Series
from tests.support.cloudwatch.unit.alarm_cases import NOW, PERIOD, alarm, laid

ERRORS, CALLS = Metric.of("N", "Errors"), Metric.of("N", "Calls")
NAMED: dict[str, Value] = {"a": (1.0, None, 4.0), "b": (2.0, 3.0, 0.0), "none": (None, None, None)}


@dataclass
class Scope:
    period: int = 300
    count: int = 3
    known: dict[str, Value] = field(default_factory=lambda: NAMED)

    def value(self, name: str) -> Value:
        return self.known[name]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + b", (3.0, None, 4.0)),
        ("a - 1", (0.0, None, 3.0)),
        ("a * 100 / (a + b)", (100 / 3, None, 100.0)),
        ("a / b", (0.5, None, None)),
        ("a + b * 2", (5.0, None, 4.0)),
        ("b > 1", (1.0, 1.0, 0.0)),
        ("b >= 2", (1.0, 1.0, 0.0)),
        ("b <= 2", (1.0, 0.0, 1.0)),
        ("IF(b > 1, a, 7)", (1.0, None, 7.0)),
        ("IF(a > 2, 1, 0)", (0.0, None, 1.0)),
        ("MAX([a, b])", (2.0, 3.0, 4.0)),
        ("MIN([a, b])", (1.0, 3.0, 0.0)),
        ("SUM([a, b])", (3.0, 3.0, 4.0)),
        ("SUM([none, none])", (None, None, None)),
        ("a + 1 / 0", (None, None, None)),
        ("2", 2.0),
    ],
)
def test_an_expression(expression: str, value: Value) -> None:
    assert evaluate(expression, Scope()) == value


@pytest.mark.parametrize(
    "expression",
    ["SEARCH('x', 'Sum')", "__import__('os')", "a.real", "a if a else b", "RATE(a)", "a +", "[a, b] + 1", "1 < a < 2"],
)
def test_unknown_forms_are_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, Scope())


def test_an_alarm_on_an_expression() -> None:
    rate = alarm(
        queries=(
            Query("rate", PERIOD, expression="IF(calls >= 10, errors * 100 / calls, 0)"),
            Query("errors", PERIOD, metric=ERRORS, statistic="Sum", returned=False),
            Query("calls", PERIOD, metric=CALLS, statistic="Sum", returned=False),
        ),
        periods=2,
        datapoints=2,
    )
    cases = {(1.0, 2.0): "ALARM", (1.0, 0.0): "OK"}
    for errors, state in cases.items():
        series = Series([*laid(*errors, metric=ERRORS), *laid(10.0, 10.0, metric=CALLS)])
        assert evaluate_alarms(Alarms((rate,), ()), series, NOW)["Files"] == state
    few = Series([*laid(9.0, 9.0, metric=ERRORS), *laid(9.0, 9.0, metric=CALLS)])
    assert evaluate_alarms(Alarms((rate,), ()), few, NOW)["Files"] == "OK"


def _unusual(comparison: str, *values: float | None) -> str:
    banded = alarm(
        queries=(
            Query("m", PERIOD, metric=ERRORS, statistic="Sum"),
            Query("band", PERIOD, expression="ANOMALY_DETECTION_BAND(m, 2)"),
        ),
        threshold="band",
        comparison=comparison,
        missing="notBreaching",
    )
    return evaluate_alarms(Alarms((banded,), ()), Series(laid(*values, metric=ERRORS)), NOW)["Files"]


@pytest.mark.parametrize(
    ("comparison", "low", "usual", "high"),
    [
        ("GreaterThanUpperThreshold", "OK", "OK", "ALARM"),
        ("LessThanLowerThreshold", "ALARM", "OK", "OK"),
    ],
)
def test_a_band_is_as_wide_as_the_history_varies(comparison: str, low: str, usual: str, high: str) -> None:
    history = [9.0, 11.0] * LEAST_HISTORY  # mean 10, deviation 1
    assert [_unusual(comparison, *history, value) for value in (7.5, 8.5, 12.5)] == [low, usual, high]


def test_a_band_needs_history() -> None:
    assert _unusual("GreaterThanUpperThreshold", *[10.0] * 20, 99.0) == "INSUFFICIENT_DATA"
    assert _unusual("GreaterThanUpperThreshold", *[10.0] * 30, 99.0) == "ALARM"
