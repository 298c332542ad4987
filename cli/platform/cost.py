"""`sluice cost`: what a month of a stage costs, estimated from what its runs recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.platform.console import err, out, plural, say, say_json
from cli.platform.errors import handled
from cli.platform.fixed_costs import standing_cost
from cli.platform.options import JsonOption, StageOption
from cli.platform.run_records import records_of
from cli.platform.session import LOCAL, Deployment, connect
from sluice.observability.digest.cost import ASSUMED, NOT_COUNTED, WATCHING, Cost, CostItem, cost_of
from sluice.observability.digest.run_totals import Tally, started
from sluice.observability.prices import AS_OF, REGION
from sluice.runs.model import Kind, RunRecord

_MONTH = timedelta(days=30)
_LEAST = timedelta(hours=1)  # of records: what was there for minutes says nothing of a month


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
    seen = max(now - started(records[0]), _LEAST) if records else _MONTH
    tally = Tally.of(records)
    running, standing = _times(cost_of(tally), _MONTH / seen), standing_cost(deployment)
    return {
        "stage": deployment.stage,
        "days": round(seen / timedelta(days=1), 2),
        "runs": len(records),
        "files": round(tally.count(Kind.CONVERT, "files") * (_MONTH / seen)),
        "dollars": round(running.dollars + standing.dollars, 2),
        "running": _dollars(running),
        "standing": _dollars(standing),
        "assumed": ASSUMED,
        "not_counted": [each for each in NOT_COUNTED if each != WATCHING],
        "prices": f"{REGION}, {AS_OF}",
    }


def _times(found: Cost, factor: float) -> Cost:
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
