"""Alarms over missing data: the tables of AWS's documentation, and what its text says beside them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.cloudwatch.definitions import Alarms, Query
from tests.support.cloudwatch.evaluation import evaluate
from tests.support.cloudwatch.expressions import ExpressionError
from tests.support.cloudwatch.series import Metric, Point, Series
from tests.support.cloudwatch.unit.alarm_cases import FILES, NOW, PERIOD, alarm, laid, state_of

INSUFFICIENT = "INSUFFICIENT_DATA"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
VALUES = {"0": 1.0, "X": 9.0, "-": None}

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html: "before" is the state
# that is retained.
THREE_OF_THREE = [
    ("0 - X - X", "OK", "OK", "OK", "OK"),
    ("0 - - - -", "OK", "OK", "OK", "OK"),
    ("- - - - -", INSUFFICIENT, "before", "ALARM", "OK"),
    ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("- - X - -", "ALARM", "before", "ALARM", "OK"),
    ("- - - - X", "OK", "before", "ALARM", "OK"),
    ("- - - X -", "OK", "before", "ALARM", "OK"),
    ("- - X - 0", "OK", "OK", "OK", "OK"),
]
TWO_OF_THREE = [
    ("0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 - X - -", "OK", "OK", "ALARM", "OK"),
    ("- - - - 0", "OK", "OK", "ALARM", "OK"),
    ("- - - X -", "ALARM", "before", "ALARM", "OK"),
    ("X X 0 0 X", "OK", "OK", "OK", "OK"),
]


@pytest.mark.parametrize("place", range(4), ids=TREATMENTS)
@pytest.mark.parametrize(
    ("datapoints", "row"), [*((3, row) for row in THREE_OF_THREE), *((2, row) for row in TWO_OF_THREE)]
)
def test_the_documented_tables(datapoints: int, row: tuple[str, ...], place: int) -> None:
    values = [VALUES[word] for word in row[0].split()]
    one = alarm(periods=3, datapoints=datapoints, missing=TREATMENTS[place])
    assert state_of(one, *values) == row[place + 1]


def test_what_is_older_than_the_range_counts_nothing() -> None:
    assert state_of(alarm(missing="notBreaching"), 9.0, None, None, None) == "OK"
    assert state_of(alarm(missing="notBreaching"), 9.0, None, None) == "ALARM"


def test_the_period_that_has_just_begun_does_not_count() -> None:
    series = Series([*laid(1.0), (FILES, Point(NOW.timestamp() + 1, 99.0))])
    assert evaluate(Alarms((alarm(),), ()), series, NOW + timedelta(seconds=30)) == {"Files": "OK"}


def test_the_window_slides_with_every_minute() -> None:
    series = Series([(FILES, Point(NOW.timestamp() + 90, 99.0))])
    states = [
        evaluate(Alarms((alarm(missing="notBreaching"),), ()), series, NOW + timedelta(minutes=minutes))["Files"]
        for minutes in (1, 2)
    ]
    assert states == ["OK", "ALARM"]


def test_a_range_over_a_day_is_looked_at_by_the_hour() -> None:
    daily = alarm(queries=(Query("m", 43_200, metric=FILES, statistic="Sum"),), periods=3, datapoints=1)
    series = Series([(FILES, Point(NOW.timestamp() + 60, 99.0))])
    states = [evaluate(Alarms((daily,), ()), series, NOW + timedelta(minutes=minutes))["Files"] for minutes in (59, 60)]
    assert states == [INSUFFICIENT, "ALARM"]


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("GreaterThanThreshold", "OK", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "OK", "ALARM", "ALARM"),
        ("LessThanThreshold", "ALARM", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
    ],
)
def test_comparisons(comparison: str, below: str, at: str, above: str) -> None:
    one = alarm(comparison=comparison)
    assert [state_of(one, value) for value in (4.0, 5.0, 6.0)] == [below, at, above]


def test_an_unknown_comparison_is_refused() -> None:
    with pytest.raises(ExpressionError, match="Nearly"):
        state_of(alarm(comparison="Nearly"), 1.0)


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        *[("Sum", 60.0), ("Average", 15.0), ("Minimum", 0.0), ("Maximum", 50.0), ("SampleCount", 4.0)],
        *[("p50", 5.0), ("p0", 0.0), ("p100", 50.0), ("p75", 20.0)],
    ],
)
def test_statistics(statistic: str, value: float) -> None:
    series = Series(point for each in (50.0, 0.0, 10.0, 0.0) for point in laid(each))
    query = Query("m", PERIOD, metric=FILES, statistic=statistic)
    for comparison, state in (("GreaterThanThreshold", "OK"), ("GreaterThanOrEqualToThreshold", "ALARM")):
        one = alarm(queries=(query,), comparison=comparison, threshold=value)
        assert evaluate(Alarms((one,), ()), series, NOW)["Files"] == state


def test_other_dimensions_are_another_metric() -> None:
    other = replace(FILES, dimensions=frozenset({("stage", "prd")}))
    less = Metric.of("Sluice", "Files")
    series = Series([*laid(9.0, metric=other), *laid(9.0, metric=less)])
    assert evaluate(Alarms((alarm(),), ()), series, NOW)["Files"] == INSUFFICIENT
