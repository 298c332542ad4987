"""`sluice cost`: what a month of a stage costs, estimated from what its runs recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.platform.console import JsonOption, StageOption, err, handled, out, plural, say, say_json
from cli.platform.runs import records_of
from cli.platform.session import LOCAL, Deployment, connect
from sluice.observability import prices
from sluice.observability.cost import NOT_COUNTED, WATCHING, Cost, CostItem, assumptions, cost_of
from sluice.observability.metrics import PLATFORM_METRICS
from sluice.observability.prices import AS_OF, REGION, Price
from sluice.observability.run_totals import RunTotals
from sluice.pipelines import PIPELINES, RUN_KINDS
from sluice.runs.model import RunRecord

_MONTH = timedelta(days=30)
_SHORTEST = timedelta(hours=1)  # fewer minutes of records say nothing of a month


@handled
def cost(
    stage: StageOption = LOCAL,
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days of records to look at.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Estimate what a month (30 days) of a stage costs, by list prices.

    Reads the records of its runs, and extends them to a month from the first
    one on; adds what its alarms, dashboards and metrics cost. It is no bill:
    what is assumed and what is left out is said with it.

    Examples:
        sluice cost --stage prd
        sluice cost --stage prd --days 7 --json | jq .dollars
    """
    deployment, now = connect(stage), datetime.now(UTC)
    with err.status("Reading the records of runs …"):
        records = records_of(deployment).between(now - timedelta(days=days), now)
        found = _document(deployment, records, now)
    if as_json:
        say_json(found)
    else:
        _show(found)


def _document(deployment: Deployment, records: list[RunRecord], now: datetime) -> dict[str, Any]:
    seen = max(now - records[0].start, _SHORTEST) if records else _MONTH
    totals, factor = RunTotals.of(records, RUN_KINDS), _MONTH / seen
    running, fixed = _multiplied(cost_of(totals, PIPELINES), factor), fixed_cost(deployment)
    return {
        "stage": deployment.stage,
        "days": round(seen / timedelta(days=1), 2),
        "runs": len(records),
        "files": round(_files(totals) * factor),
        "dollars": round(running.dollars + fixed.dollars, 2),
        "running": _dollars(running),
        "standing": _dollars(fixed),
        "assumed": assumptions(PIPELINES),
        "not_counted": [each for each in NOT_COUNTED if each != WATCHING],
        "prices": f"{REGION}, {AS_OF}",
    }


def _files(totals: RunTotals) -> int:
    """Return the sum of the volume ``files`` of the pipelines that have it."""
    volumes = (volume for pipeline in PIPELINES for volume in pipeline.volumes if volume.name == "files")
    return sum(totals.count(volume.kind, volume.count) for volume in volumes)


def _multiplied(found: Cost, factor: float) -> Cost:
    return Cost(tuple(CostItem(item.price, item.quantity * factor) for item in found.items))


def _dollars(found: Cost) -> Mapping[str, float]:
    """Dollars by service, the dearest first."""
    sums: defaultdict[str, float] = defaultdict(float)
    for item in found.items:
        sums[item.price.service] += item.dollars
    dearest = sorted(sums, key=lambda service: -sums[service])
    return {service: round(sums[service], 4) for service in dearest if sums[service]}


def _show(found: Mapping[str, Any]) -> None:
    out.print(_table(found))
    seen = f"{plural(found['runs'], 'run')} of {found['days']:g} days, {found['files']:,} files a month"
    say(f"From {seen}. List prices of {found['prices']}.")
    say(f"Assumed: {found['assumed']}.")
    say(f"Not counted: {'; '.join(found['not_counted'])}.")


def _table(found: Mapping[str, Any]) -> Table:
    shown = Table(f"A month of {found['stage']}", show_footer=True)
    shown.columns[0].footer = "Sum"
    shown.add_column("$", justify="right", footer=f"{found['dollars']:,.2f}")
    for service, dollars in _lines(found):
        shown.add_row(service, f"{dollars:,.2f}")
    return shown


def _lines(found: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    yield from found["running"].items()
    yield from found["standing"].items()


_ALARM = "AWS::CloudWatch::Alarm"
_EACH: Mapping[str, Price] = {
    "AWS::CloudWatch::Dashboard": prices.DASHBOARD,
    "AWS::CloudWatch::CompositeAlarm": prices.COMPOSITE,
    "AWS::SecretsManager::Secret": prices.SECRET,
}
_BAND_METRICS = 2  # the edges of a band count like metrics


def fixed_cost(deployment: Deployment) -> Cost:
    """What a month of the stage's alarms, dashboards, secrets and regular metrics costs."""
    return cost_of_resources(
        resource for stack in deployment.stacks for resource in deployment.template(stack)["Resources"].values()
    )


def cost_of_resources(found: Iterable[Mapping[str, Any]]) -> Cost:
    """What a month of these resources of templates costs, and of the metrics that every stage has."""
    resources = list(found)
    items = [CostItem(_EACH[each["Type"]], 1) for each in resources if each["Type"] in _EACH]
    watched = sum(_metrics_of_alarm(each["Properties"]) for each in resources if each["Type"] == _ALARM)
    metrics = chain(PLATFORM_METRICS, *(pipeline.metrics for pipeline in PIPELINES))
    regular = sum(not metric.rare for metric in metrics)
    return Cost((*items, CostItem(prices.ALARM_METRIC, watched), CostItem(prices.CUSTOM_METRIC, regular)))


def _metrics_of_alarm(alarm: Mapping[str, Any]) -> int:
    """How many metrics an alarm looks at."""
    of_services = sum("MetricStat" in query for query in alarm.get("Metrics", ()))
    return (of_services or 1) + (_BAND_METRICS if "ThresholdMetricId" in alarm else 0)
