"""States of alarms: over missing data as AWS documents them, over expressions and bands, and of composites."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.cloudwatch.definitions import Alarms, Query
from tests.support.cloudwatch.evaluation import evaluate
from tests.support.cloudwatch.expressions import LEAST_HISTORY, Values
from tests.support.cloudwatch.expressions import evaluate as evaluate_expression
from tests.support.cloudwatch.series import Metric, Point, Series
from tests.support.cloudwatch.unit.alarm_cases import FILES, NOW, PERIOD, alarm, laid, state_of

VALUES = {"0": 1.0, "X": 9.0, "-": None}

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html: the columns of missing
# data that are breaching, and notBreaching.
THREE_OF_THREE = [
    ("0 - X - X", "OK", "OK"),
    ("0 - - - -", "OK", "OK"),
    ("- - - - -", "ALARM", "OK"),
    ("0 X X - X", "ALARM", "ALARM"),
    ("- - X - -", "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0 - X - X", "ALARM", "ALARM"),
    ("0 0 X 0 X", "ALARM", "ALARM"),
    ("0 - X - -", "ALARM", "OK"),
    ("- - - - 0", "ALARM", "OK"),
    ("- - - X -", "ALARM", "OK"),
    ("X X 0 0 X", "OK", "OK"),
]


@pytest.mark.parametrize(
    ("datapoints", "row"), [*((3, row) for row in THREE_OF_THREE), *((2, row) for row in TWO_OF_THREE)]
)
def test_the_documented_tables(datapoints: int, row: tuple[str, str, str]) -> None:
    words, *expected = row
    values = laid(*(VALUES[word] for word in words.split()))
    alarms = [alarm(periods=3, datapoints=datapoints, missing=missing) for missing in ("breaching", "notBreaching")]
    assert [state_of(each, values) for each in alarms] == expected


def test_what_is_older_than_the_range_counts_nothing() -> None:
    assert state_of(alarm(), laid(9.0, None, None, None)) == "OK"
    assert state_of(alarm(), laid(9.0, None, None)) == "ALARM"


def test_the_period_that_has_just_begun_does_not_count() -> None:
    begun = [(FILES, Point(NOW.timestamp() + 1, 99.0))]
    assert state_of(alarm(), laid(1.0), begun, now=NOW + timedelta(seconds=30)) == "OK"


def test_the_window_slides_with_every_minute() -> None:
    points = [(FILES, Point(NOW.timestamp() + 90, 99.0))]
    assert state_of(alarm(), points, now=NOW + timedelta(minutes=1)) == "OK"
    assert state_of(alarm(), points, now=NOW + timedelta(minutes=2)) == "ALARM"


@pytest.mark.parametrize(
    ("comparison", "states"),
    [("GreaterThanThreshold", ["OK", "OK", "ALARM"]), ("LessThanThreshold", ["ALARM", "OK", "OK"])],
)
def test_comparisons(comparison: str, states: list[str]) -> None:
    one = alarm(comparison=comparison)
    assert [state_of(one, laid(value)) for value in (4.0, 5.0, 6.0)] == states


@pytest.mark.parametrize(("statistic", "value"), [("Sum", 60.0), ("Minimum", 0.0), ("Maximum", 50.0), ("p99", 48.8)])
def test_statistics(statistic: str, value: float) -> None:
    points = [point for each in (50.0, 0.0, 10.0, 0.0) for point in laid(each)]
    queries = (Query("m", PERIOD, metric=FILES, statistic=statistic),)
    assert state_of(alarm(queries=queries, threshold=value + 1e-9), points) == "OK"
    assert state_of(alarm(queries=queries, threshold=value - 1e-9), points) == "ALARM"


def test_other_dimensions_are_another_metric() -> None:
    others = (Metric.of("Sluice", "Files", {"stage": "prd"}), Metric.of("Sluice", "Files"))
    assert state_of(alarm(), *(laid(9.0, metric=metric) for metric in others)) == "OK"


NAMED = {"a": Values((1.0, None, 4.0)), "b": Values((2.0, 3.0, 0.0)), "none": Values((None, None, None))}


@pytest.mark.parametrize(
    ("expression", "vector"),
    [
        ("a + b", (3.0, None, 4.0)),
        ("100 * a / (a + b)", (100 / 3, None, 100.0)),
        ("a / b", (0.5, None, None)),
        ("b > 2", (False, True, False)),
        ("b >= 2", (True, True, False)),
        ("IF(b > 1, a, 7)", (1.0, None, 7.0)),
        ("IF(a > 2, 1, 0)", (0.0, None, 1.0)),
        ("SUM([a, b])", (3.0, 3.0, 4.0)),
        ("SUM([none, none])", (None, None, None)),
    ],
)
def test_an_expression(expression: str, vector: tuple[Any, ...]) -> None:
    assert evaluate_expression(expression, NAMED).vector == vector


ERRORS, CALLS = Metric.of("N", "Errors"), Metric.of("N", "Calls")


@pytest.mark.parametrize(
    ("errors", "calls", "state"), [((1.0, 2.0), 10.0, "ALARM"), ((1.0, 0.0), 10.0, "OK"), ((9.0, 9.0), 9.0, "OK")]
)
def test_an_alarm_on_an_expression(errors: tuple[float, float], calls: float, state: str) -> None:
    queries = (
        Query("rate", expression="IF(calls >= 10, 100 * errors / calls, 0)"),
        Query("errors", PERIOD, metric=ERRORS, statistic="Sum", returned=False),
        Query("calls", PERIOD, metric=CALLS, statistic="Sum", returned=False),
    )
    rate = alarm(queries=queries, periods=2, datapoints=2)
    assert state_of(rate, laid(*errors, metric=ERRORS), laid(calls, calls, metric=CALLS)) == state


def _unusual(*values: float) -> str:
    queries = (
        Query("band", expression="ANOMALY_DETECTION_BAND(m, 2)"),
        Query("m", PERIOD, metric=FILES, statistic="Sum"),
    )
    banded = alarm(queries=queries, threshold="band", comparison="GreaterThanUpperThreshold")
    return state_of(banded, laid(*values))


def test_a_band_is_as_wide_as_the_history_varies() -> None:
    history = [9.0, 11.0] * LEAST_HISTORY  # mean 10, deviation 1
    assert [_unusual(*history, value) for value in (7.5, 11.5, 12.5)] == ["OK", "OK", "ALARM"]


def test_a_band_needs_history() -> None:
    assert _unusual(*[10.0] * 20, 99.0) == "INSUFFICIENT_DATA"
    assert _unusual(*[10.0] * 30, 99.0) == "ALARM"


def test_composites_follow_their_alarms() -> None:
    alarms = Alarms({"Files": alarm(), "Quiet": alarm(threshold=100.0)}, {"Whole": ("Quiet", "Files")})
    assert evaluate(alarms, Series(laid(9.0)), NOW) == {"Files": "ALARM", "Quiet": "OK", "Whole": "ALARM"}
    assert evaluate(alarms, Series(laid(1.0)), NOW)["Whole"] == "OK"
