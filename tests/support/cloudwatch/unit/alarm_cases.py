"""Alarms and series written down shortly."""

from datetime import UTC, datetime
from typing import Any

from tests.support.cloudwatch.definitions import Alarms, MetricAlarm, Query
from tests.support.cloudwatch.evaluation import evaluate
from tests.support.cloudwatch.series import Metric, Point, Series

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PERIOD = 300
FILES = Metric.of("Sluice", "Files", {"stage": "int"})


def alarm(**changes: Any) -> MetricAlarm:
    """An alarm on the sum of files above 5; changes as the class has them."""
    settings: dict[str, Any] = {
        "queries": (Query("m", PERIOD, metric=FILES, statistic="Sum"),),
        "comparison": "GreaterThanThreshold",
        "threshold": 5.0,
        "periods": 1,
        "datapoints": 1,
        "missing": "notBreaching",
    }
    return MetricAlarm(**settings | changes)


def laid(*values: float | None, metric: Metric = FILES) -> list[tuple[Metric, Point]]:
    """One point in the middle of each of the last periods, the newest last; None: nothing was measured."""
    end = NOW.timestamp()
    places = [(end - (len(values) - index - 0.5) * PERIOD, value) for index, value in enumerate(values)]
    return [(metric, Point(at, value)) for at, value in places if value is not None]


def state_of(one: MetricAlarm, *points: list[tuple[Metric, Point]], now: datetime = NOW) -> str:
    """The state of an alarm over these points."""
    return evaluate(Alarms({"one": one}), Series(point for part in points for point in part), now)["one"]
