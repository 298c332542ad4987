"""Alarms as a template defines them, and the resources that they refer to."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.cloudwatch.series import Metric

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
FUNCTION = "AWS::Lambda::Function"
MACHINE = "AWS::StepFunctions::StateMachine"
QUEUE = "AWS::SQS::Queue"

_NOT_EVALUATED = {"AlarmActions", "OKActions", "AlarmDescription"}
_IN_ALARM = re.compile(r'ALARM\("([^"]+)"\)')


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
    def watched(self) -> str:
        """Return the id of the query whose values are compared."""
        (found,) = [query.id for query in self.queries if query.returned and query.id != self.threshold]
        return found


@dataclass(frozen=True, slots=True)
class CompositeAlarm:
    """An alarm that is on while one of others is; `alarms` are their names."""

    name: str
    logical_id: str
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alarms:
    """All alarms of a template."""

    metric: tuple[MetricAlarm, ...] = ()
    composite: tuple[CompositeAlarm, ...] = ()

    @property
    def logical_ids(self) -> dict[str, str]:
        """Return the logical id of every alarm, by its name."""
        ids = {alarm.name: alarm.logical_id for alarm in self.metric}
        return ids | {alarm.name: alarm.logical_id for alarm in self.composite}


class UnknownError(ValueError):
    """The template refers to something, or asks for something, that is not known here."""


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
        """Return a value of a template with its functions resolved. Raises UnknownError."""
        if isinstance(value, list):
            return [self.resolve(part) for part in value]
        if not isinstance(value, dict):
            return value
        try:
            return self._call(value)
        except KeyError as error:
            raise UnknownError(f"nothing is known of {error}") from error

    def _call(self, value: dict[str, Any]) -> Any:
        match value:
            case {"Ref": name}:
                return self.references[name]
            case {"Fn::GetAtt": [logical_id, attribute]}:
                return self.attributes[logical_id, attribute]
            case {"Fn::ImportValue": name}:
                return self.exports[self.resolve(name)]
            case {"Fn::Join": [separator, parts]}:
                return separator.join(map(str, self.resolve(parts)))
        if unknown := [name for name in value if name.startswith("Fn::")]:
            raise UnknownError(f"function {unknown[0]}")
        return {name: self.resolve(part) for name, part in value.items()}


def read_alarms(body: Mapping[str, Any], resolver: Resolver) -> Alarms:
    """Read the alarms of a template's body; references to alarms need not be known to `resolver`."""
    kinds = {key: value["Type"] for key, value in body["Resources"].items() if value["Type"] in {ALARM, COMPOSITE}}
    properties = {key: body["Resources"][key]["Properties"] for key in kinds}
    names = {key: str(resolver.resolve(value["AlarmName"])) for key, value in properties.items()}
    knowing = replace(resolver, references={**resolver.references, **names})
    found = {
        key: knowing.resolve({name: part for name, part in value.items() if name not in _NOT_EVALUATED})
        for key, value in properties.items()
    }
    return Alarms(
        tuple(_metric_alarm(names[key], key, each) for key, each in found.items() if kinds[key] == ALARM),
        tuple(
            CompositeAlarm(names[key], key, alarms_in(each["AlarmRule"]))
            for key, each in found.items()
            if kinds[key] == COMPOSITE
        ),
    )


def alarms_in(rule: str) -> tuple[str, ...]:
    """Return the names in a rule such as ``ALARM("one") OR ALARM("two")``. Raises UnknownError for other forms."""
    names = _IN_ALARM.findall(rule)
    if rule != " OR ".join(f'ALARM("{name}")' for name in names):
        raise UnknownError(f"{rule!r} is more than ALARM(…) OR ALARM(…)")
    return tuple(names)


def _metric_alarm(name: str, logical_id: str, properties: Mapping[str, Any]) -> MetricAlarm:
    missing = properties["TreatMissingData"]
    if missing not in {"breaching", "notBreaching"}:
        raise UnknownError(f"{name}: missing data are {missing}")
    return MetricAlarm(
        name=name,
        logical_id=logical_id,
        queries=tuple(map(_query, properties["Metrics"])) if "Metrics" in properties else (_plain("m", properties),),
        comparison=properties["ComparisonOperator"],
        threshold=properties.get("ThresholdMetricId") or float(properties["Threshold"]),
        periods=properties["EvaluationPeriods"],
        datapoints=properties["DatapointsToAlarm"],
        missing=missing,
    )


def _query(found: Mapping[str, Any]) -> Query:
    returned = found.get("ReturnData", True)
    if "MetricStat" in found:
        measured = found["MetricStat"]
        return replace(_plain(found["Id"], measured | measured["Metric"]), returned=returned)
    return Query(found["Id"], expression=found["Expression"], returned=returned)


def _plain(identifier: str, found: Mapping[str, Any]) -> Query:
    statistic = next(found[name] for name in ("Stat", "Statistic", "ExtendedStatistic") if name in found)
    dimensions = {each["Name"]: str(each["Value"]) for each in found.get("Dimensions", [])}
    return Query(identifier, found["Period"], Metric.of(found["Namespace"], found["MetricName"], dimensions), statistic)


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
