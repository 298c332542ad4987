"""What a deployed stage costs though nothing happens: what its templates say it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sluice.observability import prices
from sluice.observability.digest.cost import Cost, CostItem
from sluice.observability.metrics import METRICS
from sluice.observability.prices import Price

if TYPE_CHECKING:
    from cli.platform.session import Deployment

_ALARM = "AWS::CloudWatch::Alarm"
_EACH: Mapping[str, Price] = {
    "AWS::CloudWatch::Dashboard": prices.DASHBOARD,
    "AWS::CloudWatch::CompositeAlarm": prices.COMPOSITE,
    "AWS::SecretsManager::Secret": prices.SECRET,
}
_BAND_METRICS = 2  # the edges of a band count like metrics


def standing_cost(deployment: Deployment) -> Cost:
    """What a month of the stage's alarms, dashboards, secrets and regular metrics costs."""
    return cost_of_resources(
        resource for stack in deployment.stacks for resource in deployment.template(stack)["Resources"].values()
    )


def cost_of_resources(found: Iterable[Mapping[str, Any]]) -> Cost:
    """What a month of these resources of templates costs, and of the metrics that every stage has."""
    resources = list(found)
    items = [CostItem(_EACH[each["Type"]], 1) for each in resources if each["Type"] in _EACH]
    watched = sum(_watched(each["Properties"]) for each in resources if each["Type"] == _ALARM)
    regular = sum(len(metric.pipelines) for metric in METRICS if not metric.rare)
    return Cost((*items, CostItem(prices.ALARM_METRIC, watched), CostItem(prices.CUSTOM_METRIC, regular)))


def _watched(alarm: Mapping[str, Any]) -> int:
    """How many metrics an alarm looks at."""
    of_services = sum("MetricStat" in query for query in alarm.get("Metrics", ()))
    return (of_services or 1) + (_BAND_METRICS if "ThresholdMetricId" in alarm else 0)
