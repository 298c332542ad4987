"""The states of alarms over measured series, as CloudWatch documents its evaluation.

Taken over from its documentation: the window slides with every minute (every hour when it is longer than a day); more
periods are looked at than are asked for, and real data come first; only what is still lacking is filled as the alarm
says for missing data; an alarm does not ring on the only datapoint of a metric that has just begun. How many more
periods are looked at, AWS leaves open; here it is always two, as in its examples. Data are taken to arrive at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.support.cloudwatch import expressions
from tests.support.cloudwatch.definitions import Alarms, MetricAlarm
from tests.support.cloudwatch.expressions import Band, ExpressionError, Value, comparison
from tests.support.cloudwatch.series import Series, Vector, Windows

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"

_MORE_PERIODS = 2
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_IN_ALARM = re.compile(r'ALARM\("([^"]+)"\)')


class RuleError(ValueError):
    """The rule of a composite alarm cannot be read."""


def evaluate(alarms: Alarms, series: Series, now: datetime, before: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the state of every alarm at `now`, by name; `before` are the states till then, or INSUFFICIENT_DATA.

    Raises ExpressionError or RuleError where a stack has more than this evaluator knows.
    """
    till_now = before or {}
    states = {a.name: _metric_state(a, series, now, till_now.get(a.name, INSUFFICIENT_DATA)) for a in alarms.metric}
    rules = {composite.name: alarms_in(composite.rule) for composite in alarms.composite}

    def state(name: str) -> str:
        if name in rules:
            return ALARM if any(state(child) == ALARM for child in rules[name]) else OK
        return states.get(name, INSUFFICIENT_DATA)

    return {name: state(name) for name in (*states, *rules)}


@dataclass(frozen=True, slots=True)
class _Datapoint:
    """A real datapoint; `age` 1 is the newest period's."""

    value: float
    age: int
    breaching: bool


def _metric_state(alarm: MetricAlarm, series: Series, now: datetime, before: str) -> str:
    points, banded = _datapoints(alarm, series, now)
    if not banded:
        return INSUFFICIENT_DATA
    used = points[-alarm.periods :]
    lacking = alarm.periods - len(used)
    return _filled_state(alarm, used, lacking, before) if lacking else _real_state(alarm, used)


def _real_state(alarm: MetricAlarm, used: Sequence[_Datapoint]) -> str:
    return ALARM if sum(point.breaching for point in used) >= alarm.datapoints else OK


def _filled_state(alarm: MetricAlarm, used: Sequence[_Datapoint], lacking: int, before: str) -> str:
    breaching = sum(point.breaching for point in used)
    if breaching + (lacking if alarm.missing == "breaching" else 0) >= alarm.datapoints:
        return ALARM
    if alarm.missing in {"breaching", "notBreaching"} or breaching < len(used):
        return OK
    if alarm.missing == "ignore":
        return before
    if not used:
        return INSUFFICIENT_DATA
    return ALARM if used[0].age >= alarm.datapoints else OK


def _datapoints(alarm: MetricAlarm, series: Series, now: datetime) -> tuple[list[_Datapoint], bool]:
    """Return the real datapoints of the evaluation range, the oldest first, and whether there are limits for them."""
    scope = _Scope(alarm, series, _windows(alarm, now))
    length = alarm.periods + _MORE_PERIODS
    values = scope.series(alarm.watched.id)[-length:]
    limits = _limits(alarm, scope, length)
    breaches = comparison(alarm.comparison)
    points = [
        _Datapoint(value, length - place, breaches(value, lower, upper))
        for place, (value, lower, upper) in enumerate(zip(values, *limits, strict=True))
        if value is not None and lower is not None and upper is not None
    ]
    return points, any(limit is not None for limit in limits[0])


def _windows(alarm: MetricAlarm, now: datetime) -> Windows:
    step = _HOUR if alarm.period * alarm.periods > _DAY else _MINUTE
    end = int(now.timestamp()) // step * step
    banded = any(expressions.BAND_FUNCTION in query.expression for query in alarm.queries)
    history = expressions.HISTORY_SECONDS // alarm.period if banded else 0
    return Windows(end, alarm.period, alarm.periods + _MORE_PERIODS + history)


def _limits(alarm: MetricAlarm, scope: _Scope, length: int) -> tuple[Vector, Vector]:
    if isinstance(alarm.threshold, float):
        return (alarm.threshold,) * length, (alarm.threshold,) * length
    found = scope.value(alarm.threshold)
    if not isinstance(found, Band):
        raise ExpressionError(f"{alarm.name}: {alarm.threshold} is no band")
    return found.limits(length)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The queries of an alarm by their ids."""

    alarm: MetricAlarm
    measured: Series
    windows: Windows
    known: dict[str, Value] = field(default_factory=dict)

    @property
    def period(self) -> int:
        return self.windows.period

    @property
    def count(self) -> int:
        return self.windows.count

    def value(self, name: str) -> Value:
        if name not in self.known:
            self.known[name] = self._compute(name)
        return self.known[name]

    def series(self, name: str) -> Vector:
        found = self.value(name)
        if not isinstance(found, tuple):
            raise ExpressionError(f"{self.alarm.name}: {name} is no series")
        return found

    def _compute(self, name: str) -> Value:
        query = next((query for query in self.alarm.queries if query.id == name), None)
        if query is None:
            raise ExpressionError(f"{self.alarm.name}: there is no {name}")
        if query.metric:
            return self.windows.vector(self.measured, query.metric, query.statistic)
        return expressions.evaluate(query.expression, self)


def alarms_in(rule: str) -> list[str]:
    """Return the alarms of a rule such as ``(ALARM("name") OR ALARM("arn"))``. Raises RuleError for other forms."""
    if re.sub(r"[()\s]|\bOR\b", "", _IN_ALARM.sub("", rule)):
        raise RuleError(f"{rule!r} is more than ALARM(…) OR ALARM(…)")
    return [name.rpartition(":alarm:")[2] for name in _IN_ALARM.findall(rule)]
