"""Alarms as a template defines them, and the resources that they refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.cloudwatch.series import Metric

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"

_DEFAULT_PERIOD = 300
_NOT_EVALUATED = {"AlarmActions", "OKActions", "InsufficientDataActions", "AlarmDescription", "Tags"}


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
        return max(query.period for query in self.queries)

    @property
    def watched(self) -> Query:
        """Return the query whose values are compared."""
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
        """Return the logical id of every alarm, by its name."""
        ids = {alarm.name: alarm.logical_id for alarm in self.metric}
        return ids | {alarm.name: alarm.logical_id for alarm in self.composite}


def read_alarms(stack: str, body: Mapping[str, Any], resolver: Resolver) -> Alarms:
    """Read the alarms of a template's body, whatever condition they are under.

    An alarm without a name is called by its stack and logical id. References to alarms of the template itself need not
    be known to `resolver`.
    """
    resources = {key: value for key, value in body["Resources"].items() if value["Type"] in {ALARM, COMPOSITE}}
    names = {
        key: str(resolver.resolve(value["Properties"].get("AlarmName", f"{stack}-{key}")))
        for key, value in resources.items()
    }
    knowing = replace(
        resolver,
        references={**resolver.references, **names},
        attributes={
            **resolver.attributes,
            **{(key, "Arn"): f"arn:aws:cloudwatch:::alarm:{name}" for key, name in names.items()},
        },
    )
    found = {
        key: {name: knowing.resolve(part) for name, part in value["Properties"].items() if name not in _NOT_EVALUATED}
        for key, value in resources.items()
    }
    return Alarms(
        tuple(_metric_alarm(names[key], key, each) for key, each in found.items() if "AlarmRule" not in each),
        tuple(CompositeAlarm(names[key], key, each["AlarmRule"]) for key, each in found.items() if "AlarmRule" in each),
    )


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


class UnresolvedError(LookupError):
    """The template refers to something whose value is not known here."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Values of a template's references.

    Attributes:
        references: What `Ref` gives, by logical id or pseudo parameter.
        attributes: What `Fn::GetAtt` gives, by logical id and attribute.
        exports: What `Fn::ImportValue` gives, by name.
    """

    references: Mapping[str, str]
    attributes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """Return a value of a template with its functions resolved. Raises UnresolvedError."""
        if isinstance(value, list):
            return [self.resolve(part) for part in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        return {key: self.resolve(part) for key, part in value.items()}

    def _call(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", _:
                return _known(self.references, argument)
            case "Fn::GetAtt", [logical_id, attribute]:
                return _known(self.attributes, (logical_id, attribute))
            case "Fn::ImportValue", _:
                return _known(self.exports, self.resolve(argument))
            case "Fn::Join", [separator, parts]:
                return str(separator).join(map(str, self.resolve(parts)))
        raise UnresolvedError(f"function {name}")


def _known(values: Mapping[Any, str], key: Any) -> str:
    if key not in values:
        raise UnresolvedError(f"nothing is known of {key}")
    return values[key]


FUNCTION = "AWS::Lambda::Function"
MACHINE = "AWS::StepFunctions::StateMachine"
QUEUE = "AWS::SQS::Queue"


@dataclass(frozen=True, slots=True)
class Resource:
    """A deployed resource; `physical_id` is what `Ref` gives."""

    logical_id: str
    kind: str
    physical_id: str

    @property
    def attributes(self) -> dict[str, str]:
        if self.kind == QUEUE:
            return {"QueueName": self.physical_id.rpartition("/")[2], "QueueUrl": self.physical_id}
        if self.kind == MACHINE:
            return {"Arn": self.physical_id, "Name": self.physical_id.rpartition(":")[2]}
        return {}


def resolver_of(resources: Iterable[Resource], exports: Mapping[str, str], region: str, account: str) -> Resolver:
    """Return a resolver that knows the resources of one stack, and what other stacks export."""
    known = list(resources)
    pseudo = {"AWS::Region": region, "AWS::AccountId": account, "AWS::Partition": "aws"}
    return Resolver(
        references=pseudo | {resource.logical_id: resource.physical_id for resource in known},
        attributes={(r.logical_id, name): value for r in known for name, value in r.attributes.items()},
        exports=exports,
    )
