"""Alarms as a stage's template defines them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.platform.infra.observability.observability_template import ALARM, COMPOSITE, ObservabilityTemplate
from tests.support.cloudwatch.series import Metric


@dataclass(frozen=True, slots=True)
class Query:
    """One series of an alarm: a statistic of a metric over `period` seconds, or an expression over other series."""

    id: str
    period: int = 0
    metric: Metric | None = None
    statistic: str = ""
    expression: str = ""
    returned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAlarm:
    """An alarm on a metric or an expression.

    `threshold` is a number, or the id of the query that gives the band. `datapoints` of the last `periods` must breach;
    `missing` is the treatment of missing data, breaching or notBreaching.
    """

    queries: tuple[Query, ...]
    comparison: str
    threshold: float | str
    periods: int
    datapoints: int
    missing: str

    @property
    def period(self) -> int:
        return max(query.period for query in self.queries)

    @property
    def watched(self) -> str:
        """Return the id of the query whose values are compared."""
        (found,) = [query.id for query in self.queries if query.returned and query.id != self.threshold]
        return found


@dataclass(frozen=True, slots=True)
class Alarms:
    """All alarms of a stage by construct; a composite is on while one of its alarms is, named by their constructs."""

    metric: Mapping[str, MetricAlarm]
    composite: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_alarms(template: ObservabilityTemplate) -> Alarms:
    """Read the alarms of a stage; the resources they are on are named by their logical ids."""

    def named(kind: str) -> dict[str, dict[str, Any]]:
        found = template.template.of_type(kind)
        return {_construct(logical_id): template.resolved(each["Properties"]) for logical_id, each in found.items()}

    return Alarms(
        {name: _metric_alarm(template, properties) for name, properties in named(ALARM).items()},
        {name: alarms_in(properties["AlarmRule"]) for name, properties in named(COMPOSITE).items()},
    )


def alarms_in(rule: str) -> tuple[str, ...]:
    """Return the constructs in a rule such as ``ALARM("One…") OR ALARM("Two…")``."""
    ids = re.findall(r'ALARM\("(\w+)"\)', rule)
    assert rule == " OR ".join(f'ALARM("{each}")' for each in ids), f"{rule} is more than ALARM OR ALARM"
    return tuple(map(_construct, ids))


def _construct(logical_id: str) -> str:
    """Return the part of a logical id between the part of the stage and CDK's hash of eight characters."""
    return logical_id[:-8].removeprefix("Observability")


def _metric_alarm(template: ObservabilityTemplate, properties: Mapping[str, Any]) -> MetricAlarm:
    missing = properties["TreatMissingData"]
    assert missing in {"breaching", "notBreaching"}, f"missing data are {missing}"
    return MetricAlarm(
        queries=tuple(
            _query(template, found) for found in properties.get("Metrics") or [{"Id": "m", "MetricStat": properties}]
        ),
        comparison=properties["ComparisonOperator"],
        threshold=properties.get("ThresholdMetricId") or float(properties["Threshold"]),
        periods=properties["EvaluationPeriods"],
        datapoints=properties["DatapointsToAlarm"],
        missing=missing,
    )


def _query(template: ObservabilityTemplate, found: Mapping[str, Any]) -> Query:
    query = Query(found["Id"], returned=found.get("ReturnData", True))
    if "Expression" in found:
        return replace(query, expression=found["Expression"])
    measured = found["MetricStat"]
    named = measured.get("Metric", measured)
    dimensions = {each["Name"]: template.resource_of(each["Value"]) for each in named.get("Dimensions", [])}
    metric = Metric.of(named["Namespace"], named["MetricName"], dimensions)
    statistic = next(measured[name] for name in ("Stat", "Statistic", "ExtendedStatistic") if name in measured)
    return replace(query, period=measured["Period"], metric=metric, statistic=statistic)
