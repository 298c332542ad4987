"""Dashboards, alarms and queries of a synthesised stage, with the resources that they refer to."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sluice.observability.metrics import NAMESPACE, PLATFORM, PLATFORM_METRICS
from sluice.pipelines import PIPELINES
from tests.support.cloudwatch.series import Metric
from tests.support.synthesis import Synthesis

ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
DASHBOARD, QUERY = "AWS::CloudWatch::Dashboard", "AWS::Logs::QueryDefinition"


@dataclass(frozen=True)
class Documented:
    """Metrics of an AWS service: their dimension, and the type of the resources."""

    dimension: str
    resource: str
    names: frozenset[str]


# As AWS documents them (CloudWatch metrics of Lambda, SQS, HTTP APIs and Step Functions).
AWS_METRICS = {
    "AWS/Lambda": Documented(
        "FunctionName",
        "AWS::Lambda::Function",
        frozenset({"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}),
    ),
    "AWS/SQS": Documented(
        "QueueName",
        "AWS::SQS::Queue",
        frozenset({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}),
    ),
    "AWS/ApiGateway": Documented(
        "ApiId", "AWS::ApiGatewayV2::Api", frozenset({"Count", "4xx", "5xx", "Latency", "IntegrationLatency"})
    ),
    "AWS/States": Documented(
        "StateMachineArn",
        "AWS::StepFunctions::StateMachine",
        frozenset({"ExecutionTime", "ExecutionThrottled"})
        | {f"Executions{end}" for end in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")},
    ),
}


class ObservabilityTemplate:
    """The observability of a stage, in which every reference is replaced by the logical id."""

    def __init__(self, synthesis: Synthesis) -> None:
        self.stage = synthesis.stage
        self.template = synthesis.template
        self._machines = {
            resource["Properties"]["StateMachineName"]: logical_id
            for logical_id, resource in self.template.of_type("AWS::StepFunctions::StateMachine").items()
        }

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Return alarms by name, such as FilesWaiting."""
        return {
            re.sub(r"^Observability(EventFiles|VendorExports|ApiPull|Recommender)?(?=[A-Z])", "", logical_id)[
                :-8
            ]: self.resolved(alarm["Properties"])
            for logical_id, alarm in self.template.of_type(ALARM).items()
        }

    def composites(self) -> dict[str, dict[str, Any]]:
        """Return composite alarms by their names."""
        found = [self.resolved(each["Properties"]) for each in self.template.of_type(COMPOSITE).values()]
        return {each["AlarmName"]: each for each in found}

    def widgets(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every widget with its dashboard's name."""
        for dashboard in self.template.of_type(DASHBOARD).values():
            properties = self.resolved(dashboard["Properties"])
            for widget in json.loads(properties["DashboardBody"])["widgets"]:
                yield properties["DashboardName"], widget

    def queries(self) -> dict[str, dict[str, Any]]:
        """Return saved queries by name."""
        found = [self.resolved(each["Properties"]) for each in self.template.of_type(QUERY).values()]
        return {each["Name"]: each for each in found}

    def resource_of(self, reference: str) -> str:
        """Return the logical id of the resource a reference leads to, whichever attribute it takes."""
        return self._machines.get(reference.rpartition(":stateMachine:")[2]) or reference.partition(".")[0]

    def type_of(self, reference: str) -> str:
        """Return the type of the resource a reference leads to; "" where it leads nowhere."""
        return str(self.template.body["Resources"].get(self.resource_of(reference), {}).get("Type", ""))

    def resolved(self, value: Any) -> Any:
        """Return a value with references as text."""
        if isinstance(value, list):
            return [self.resolved(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1 and next(iter(value)) in {"Ref", "Fn::GetAtt", "Fn::Join"}:
            return _plain(dict(value))
        return {key: self.resolved(each) for key, each in value.items()}


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    match function:
        case "Ref":
            return str(argument).removeprefix("AWS::")
        case "Fn::GetAtt":
            return ".".join(argument)
        case "Fn::Join":
            return str(argument[0].join(_plain(each) for each in argument[1]))
        case _:
            return json.dumps(value)


def metrics_of_alarm(alarm: dict[str, Any]) -> list[Metric]:
    """Return the metrics of an alarm."""
    stats = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    return [
        Metric.of(each["Namespace"], each["MetricName"], {item["Name"]: item["Value"] for item in each["Dimensions"]})
        for each in stats or [alarm]
    ]


def metrics_of_widget(widget: dict[str, Any]) -> list[Metric]:
    """Return the metrics of a widget."""
    rows = [[part for part in row if isinstance(part, str)] for row in widget["properties"].get("metrics", [])]
    return [Metric.of(row[0], row[1], dict(zip(row[2::2], row[3::2], strict=True))) for row in rows if row]


def wrong(metric: Metric, template: ObservabilityTemplate) -> str:
    """Return why no function or service emits this metric with these dimensions; "" when one does."""
    found = dict(metric.dimensions)
    if metric.namespace == NAMESPACE:
        emitted = {(pipeline.name, each.name) for pipeline in PIPELINES for each in pipeline.metrics}
        emitted |= {(PLATFORM, each.name) for each in PLATFORM_METRICS}
        dimensions = [
            {"stage": template.stage.name, "pipeline": pipeline} for pipeline, name in emitted if name == metric.name
        ]
        return "" if found in dimensions else f"no pipeline registers {metric}"
    documented = AWS_METRICS.get(metric.namespace)
    if documented is None or metric.name not in documented.names:
        return f"AWS documents no {metric}"
    if list(found) != [documented.dimension]:
        return f"AWS emits it by {documented.dimension} only: {metric}"
    kind = template.type_of(found[documented.dimension])
    return "" if kind == documented.resource else f"there is no such {documented.resource}: {metric}"
