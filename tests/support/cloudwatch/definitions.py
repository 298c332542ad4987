"""Alarms as a template defines them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.support.cloudwatch.intrinsics import Resolver
from tests.support.cloudwatch.series import Metric

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"

_DEFAULT_PERIOD = 300


@dataclass(frozen=True, slots=True)
class Query:
    """One series of an alarm: a statistic of a metric, or an expression over others; `period` in seconds."""

    id: str
    period: int
    metric: Metric | None = None
    statistic: str = ""
    expression: str = ""
    returned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAlarm:
    """An alarm on a metric or an expression.

    `threshold` is a number, or the id of the query that gives the band. `datapoints` of the last `periods` must breach.
    """

    name: str
    logical_id: str
    queries: tuple[Query, ...]
    comparison: str
    threshold: float | str
    periods: int
    datapoints: int
    missing: str

    @property
    def period(self) -> int:
        """Seconds of a period."""
        return max(query.period for query in self.queries)

    @property
    def watched(self) -> Query:
        """The query whose values are compared."""
        (found,) = [query for query in self.queries if query.returned and query.id != self.threshold]
        return found


@dataclass(frozen=True, slots=True)
class CompositeAlarm:
    """An alarm on the states of others."""

    name: str
    logical_id: str
    rule: str


@dataclass(frozen=True, slots=True)
class Alarms:
    """All alarms of a template."""

    metric: tuple[MetricAlarm, ...]
    composite: tuple[CompositeAlarm, ...]

    @property
    def logical_ids(self) -> dict[str, str]:
        """The logical id of every alarm, by its name."""
        ids = {alarm.name: alarm.logical_id for alarm in self.metric}
        return ids | {alarm.name: alarm.logical_id for alarm in self.composite}


def read_alarms(stack: str, body: Mapping[str, Any], resolver: Resolver) -> Alarms:
    """Read the alarms of a template's body, whatever condition they are under.

    An alarm without a name is called by its stack and logical id. References to alarms of the template itself need not
    be known to `resolver`.

    Raises:
        UnresolvedError: A metric or a rule refers to something unknown.
    """
    resources = {key: value for key, value in body["Resources"].items() if value["Type"] in {ALARM, COMPOSITE}}
    names = {
        key: str(resolver.resolve(value["Properties"].get("AlarmName", f"{stack}-{key}")))
        for key, value in resources.items()
    }
    knowing = replace(
        resolver,
        references={**resolver.references, **names},
        attributes={**resolver.attributes, **{(key, "Arn"): _arn(name) for key, name in names.items()}},
    )
    metric: list[MetricAlarm] = []
    composite: list[CompositeAlarm] = []
    for key, value in resources.items():
        if value["Type"] == ALARM:
            metric.append(_metric_alarm(names[key], key, knowing.resolve(_evaluated(value["Properties"]))))
        else:
            rule = str(knowing.resolve(value["Properties"]["AlarmRule"]))
            composite.append(CompositeAlarm(names[key], key, rule))
    return Alarms(tuple(metric), tuple(composite))


def _arn(name: str) -> str:
    return f"arn:aws:cloudwatch:::alarm:{name}"


def _evaluated(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that evaluation needs: actions and descriptions may refer to what nobody knows here."""
    left_out = {"AlarmActions", "OKActions", "InsufficientDataActions", "AlarmDescription", "Tags"}
    return {name: value for name, value in properties.items() if name not in left_out}


def _metric_alarm(name: str, logical_id: str, properties: Mapping[str, Any]) -> MetricAlarm:
    periods = int(properties["EvaluationPeriods"])
    return MetricAlarm(
        name=name,
        logical_id=logical_id,
        queries=_queries(properties),
        comparison=properties["ComparisonOperator"],
        threshold=properties.get("ThresholdMetricId") or float(properties["Threshold"]),
        periods=periods,
        datapoints=int(properties.get("DatapointsToAlarm", periods)),
        missing=properties.get("TreatMissingData", "missing"),
    )


def _queries(properties: Mapping[str, Any]) -> tuple[Query, ...]:
    if "Metrics" not in properties:
        return (_plain("m", properties, properties),)
    queries = [_query(found) for found in properties["Metrics"]]
    # An expression has the period of the metrics it is made of.
    period = max((query.period for query in queries if query.metric), default=_DEFAULT_PERIOD)
    return tuple(query if query.metric else replace(query, period=period) for query in queries)


def _query(found: Mapping[str, Any]) -> Query:
    returned = bool(found.get("ReturnData", True))
    if "MetricStat" in found:
        return replace(_plain(found["Id"], found["MetricStat"]["Metric"], found["MetricStat"]), returned=returned)
    return Query(found["Id"], _DEFAULT_PERIOD, expression=found["Expression"], returned=returned)


def _plain(identifier: str, metric: Mapping[str, Any], statistics: Mapping[str, Any]) -> Query:
    statistic = statistics.get("Stat") or statistics.get("ExtendedStatistic") or statistics["Statistic"]
    dimensions = {found["Name"]: str(found["Value"]) for found in metric.get("Dimensions", [])}
    named = Metric.of(metric["Namespace"], metric["MetricName"], dimensions)
    return Query(identifier, int(statistics.get("Period", _DEFAULT_PERIOD)), metric=named, statistic=statistic)
