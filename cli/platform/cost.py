"""`sluice cost`: what a month of a stage costs, estimated from what its runs recorded."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, starmap
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from cli.platform.console import JsonOption, err, handled, out, plural, print_result, say
from cli.platform.runs import records_of
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.observability import prices
from sluice.observability.cost import BESIDE_RUNS, NOT_COUNTED, Cost, CostItem, assumptions, cost_of
from sluice.observability.metrics import PLATFORM_METRICS
from sluice.observability.prices import AS_OF, REGION, Price
from sluice.observability.run_totals import RunTotals
from sluice.pipelines import PIPELINES, RUN_KINDS
from sluice.runs.model import RunRecord

_MONTH = timedelta(days=30)
_SHORTEST = timedelta(hours=1)  # fewer minutes of records say nothing of a month
_ALARM, _POLLED = "AWS::CloudWatch::Alarm", "AWS::Lambda::EventSourceMapping"
_RULE, _S3 = "AWS::Events::Rule", "aws.s3"
_IDLE_POLLS = 5 * 3 * 60 * 24 * 30  # a month: Lambda asks a queue by five pollers, each waiting 20 s for a message
_PRICES: Mapping[str, Price] = {
    "AWS::CloudWatch::Dashboard": prices.DASHBOARD,
    "AWS::CloudWatch::CompositeAlarm": prices.COMPOSITE,
    "AWS::SecretsManager::Secret": prices.SECRET,
}
_BAND_METRICS = 2  # the edges of a band count like metrics


@handled
def cost(
    stage: StageOption = LOCAL,
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days of records to look at.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Estimate what a month (30 days) of a stage costs, by list prices.

    Reads the records of its runs, and extends them to a month from the first
    one on; adds what its alarms, dashboards, metrics and idle queues cost. It
    is no bill: what is assumed and what is left out is said with it.

    Examples:
        sluice cost --stage prd
        sluice cost --stage prd --days 7 --json | jq .dollars
    """
    deployment, now = connect(stage), datetime.now(UTC)
    with err.status("Reading the records of runs …"):
        records = records_of(deployment).between(now - timedelta(days=days), now)
        found = _document(deployment, records, now)
    print_result(found, _show, as_json=as_json)


def _document(deployment: Deployment, records: list[RunRecord], now: datetime) -> dict[str, Any]:
    seen = max(now - records[0].start, _SHORTEST) if records else _MONTH
    totals, factor = RunTotals.of(records, RUN_KINDS), _MONTH / seen
    resources = deployment.template()["Resources"].values()
    volumes = (volume for pipeline in PIPELINES for volume in pipeline.volumes if volume.name == "files")
    files = round(sum(totals.count(volume.kind, volume.count) for volume in volumes) * factor)
    items = [CostItem(item.price, item.quantity * factor) for item in cost_of(totals, PIPELINES).items]
    if any(each["Type"] == _RULE and _S3 in each["Properties"]["EventPattern"]["source"] for each in resources):
        items.append(CostItem(prices.BUS_EVENT, files))
    running, fixed = Cost(tuple(items)), fixed_cost(resources)
    return {
        "stage": deployment.stage,
        "days": round(seen / timedelta(days=1), 2),
        "runs": len(records),
        "files": files,
        "dollars": round(running.dollars + fixed.dollars, 2),
        "running": _by_service(running),
        "standing": _by_service(fixed),
        "assumed": assumptions(PIPELINES),
        "not_counted": [each for each in NOT_COUNTED if each not in BESIDE_RUNS],
        "prices": f"{REGION}, {AS_OF}",
    }


def fixed_cost(resources: Iterable[Mapping[str, Any]]) -> Cost:
    """Return the cost of a month of a template's resources, and of the metrics that every stage has."""
    found = list(resources)
    quantities = Counter(_PRICES[each["Type"]] for each in found if each["Type"] in _PRICES)
    quantities[prices.ALARM_METRIC] = sum(_metrics_of(each["Properties"]) for each in found if each["Type"] == _ALARM)
    quantities[prices.QUEUE_REQUEST] = _IDLE_POLLS * sum(each["Type"] == _POLLED for each in found)
    metrics = chain(PLATFORM_METRICS, *(pipeline.metrics for pipeline in PIPELINES))
    quantities[prices.CUSTOM_METRIC] = sum(not metric.rare for metric in metrics)
    return Cost(tuple(starmap(CostItem, quantities.items())))


def _metrics_of(alarm: Mapping[str, Any]) -> int:
    """Return the number of metrics that an alarm evaluates."""
    of_services = sum("MetricStat" in query for query in alarm.get("Metrics", ()))
    return (of_services or 1) + (_BAND_METRICS if "ThresholdMetricId" in alarm else 0)


def _by_service(found: Cost) -> Mapping[str, float]:
    """Return the dollars by service, the dearest first."""
    dearest = sorted(found.items, key=lambda item: -item.dollars)
    return {item.price.service: round(item.dollars, 4) for item in dearest if item.dollars}


def _show(found: Mapping[str, Any]) -> None:
    dollars = Column("$", justify="right", footer=f"{found['dollars']:,.2f}")
    shown = Table(Column(f"A month of {found['stage']}", footer="Sum"), dollars, show_footer=True)
    for service, amount in chain(found["running"].items(), found["standing"].items()):
        shown.add_row(service, f"{amount:,.2f}")
    out.print(shown)
    seen = f"{plural(found['runs'], 'run')} of {found['days']:g} days, {found['files']:,} files a month"
    say(f"From {seen}. List prices of {found['prices']}.")
    say(f"Assumed: {found['assumed']}.")
    say(f"Not counted: {'; '.join(found['not_counted'])}.")
