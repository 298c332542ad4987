"""The states of alarms over measured series, as CloudWatch documents its evaluation.

Taken over from its documentation: the window slides with every minute; more periods are looked at than are asked for,
and real data come first; only what is still lacking is filled as the alarm says for missing data. How many more periods
are looked at, AWS leaves open; here it is always two, as in its examples. Data are taken to arrive at once.
"""

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.support.cloudwatch import expressions
from tests.support.cloudwatch.definitions import Alarms, MetricAlarm
from tests.support.cloudwatch.expressions import Band, Values
from tests.support.cloudwatch.series import Series, Vector

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"

_MORE_PERIODS = 2
_MINUTE = 60
_BREACHES: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "GreaterThanUpperThreshold": operator.gt,
}


def evaluate(alarms: Alarms, series: Series, now: datetime) -> dict[str, str]:
    """Return the state of every alarm at `now`, by construct; what is not known here is an error."""
    states = {name: _state(alarm, series, now) for name, alarm in alarms.metric.items()}
    on = {name for name, state in states.items() if state == ALARM}
    return states | {name: ALARM if on & {*children} else OK for name, children in alarms.composite.items()}


def _state(alarm: MetricAlarm, series: Series, now: datetime) -> str:
    values = _AlarmValues(alarm, series, now)
    length = alarm.periods + _MORE_PERIODS
    limits = _limits(alarm, values, length)
    if not any(limit is not None for limit in limits):
        return INSUFFICIENT_DATA
    breaches = _BREACHES[alarm.comparison]
    points = zip(values[alarm.watched].vector[-length:], limits, strict=True)
    real = [breaches(*point) for point in points if None not in point][-alarm.periods :]
    lacking = alarm.periods - len(real) if alarm.missing == "breaching" else 0
    return ALARM if sum(real) + lacking >= alarm.datapoints else OK


def _limits(alarm: MetricAlarm, values: "_AlarmValues", length: int) -> Vector:
    if isinstance(alarm.threshold, float):
        return (alarm.threshold,) * length
    band: Band = values[alarm.threshold]
    return band.upper_limits(length, alarm.period)


class _AlarmValues(dict[str, Any]):
    """The values of an alarm's queries by their ids, each computed when it is first asked for."""

    def __init__(self, alarm: MetricAlarm, series: Series, now: datetime) -> None:
        super().__init__()
        self._queries = {query.id: query for query in alarm.queries}
        self._series = series
        self._period = alarm.period
        banded = any(expressions.BAND_FUNCTION in query.expression for query in alarm.queries)
        history = expressions.HISTORY_SECONDS // alarm.period if banded else 0
        end = int(now.timestamp()) // _MINUTE * _MINUTE
        count = alarm.periods + _MORE_PERIODS + history
        self._starts = range(end - count * alarm.period, end, alarm.period)

    def __missing__(self, name: str) -> Any:
        query = self._queries[name]
        if query.metric:
            self[name] = Values(self._series.vector(query.metric, query.statistic, self._starts, self._period))
        else:
            self[name] = expressions.evaluate(query.expression, self)
        return self[name]
