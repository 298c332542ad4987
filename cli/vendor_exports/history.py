"""`sluice history`: the histories of the vendor's exports, and the page that shows them."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.platform import machine
from cli.platform.console import CliError, JsonOption, err, handled, out, plural, print_result, progress, say
from cli.platform.report import open_page, write_page
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.vendor_exports.copy_missing import copy_missing
from cli.vendor_exports.slots import LastOption, environment_of, slot_named
from sluice.runs.execution_events import plain_cause
from sluice.vendor_exports.completeness.history_files import REPORT, observability_key
from sluice.vendor_exports.delivery.model import Slot, newest_settled, slots_between

app = typer.Typer(no_args_is_help=True, help="What became of every hour's export: completeness, volume, gaps.")
app.command("copy-missing")(copy_missing)


@app.command()
@handled
def init(
    first: Annotated[str, typer.Option("--from", help="First hour, UTC, as YYYYMMDD-HH.")],
    last: LastOption = None,
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the end.")] = 7200.0,
) -> None:
    """Make the histories of a range of hours from the folders in the lake.

    Every hour gets its row, those without a delivery too. Hours that are
    known already are looked at again. Doing it twice changes nothing.

    Examples:
        sluice history init --from 20260101-00 --stage prd
        sluice history init --from 20260101-00 --to 20260331-23
    """
    found = initialise_histories(connect(stage), slot_named(first), slot_named(last), timeout)
    text = f"{plural(found['slots'], 'hour')} in the histories. `sluice history report` shows them."
    print_result(found, lambda _: out.print(text), as_json=as_json)


@app.command()
@handled
def update(
    stage: StageOption = LOCAL,
    slot: Annotated[list[str] | None, typer.Option(help="An hour to look at again; several are possible.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make up for the hours that are over and not in the histories yet.

    Every export does that at its end. An hour is looked at when it is over
    by 30 minutes.

    Examples:
        sluice history update --stage dev
        sluice history update --slot 20261122-04
    """
    again = [str(slot_named(text)) for text in slot or []]
    with err.status("Observing …"):
        observed = update_history(connect(stage), again)
    print_result({"slots": observed}, lambda _: out.print(f"{plural(observed, 'hour')} observed."), as_json=as_json)
    if len(again) > observed and not as_json:
        say("Only hours over by 30 minutes and in the histories are looked at again; others: `sluice history init`.")


@app.command()
@handled
def report(
    stage: StageOption = LOCAL,
    to: Annotated[Path, typer.Option("--out", "-o", help="The page to write.")] = Path("export-report.html"),
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report on the exports: one page that needs no network.

    The same page, as of the last export, lies in the lake bucket.

    Examples:
        sluice history report --stage prd --open
    """
    from cli.vendor_exports.report_page import exports_page  # noqa: PLC0415 - slow to import

    deployment = connect(stage)
    page, hours = exports_page(deployment)
    write_page(to, page)
    published = f"s3://{deployment.output('LakeBucket')}/{observability_key(environment_of(deployment), REPORT)}"
    document = {"file": str(to), "hours": hours, "published": published}
    text = f"{to}: {plural(hours, 'hour')}. As of the last export: {published}"
    print_result(document, lambda _: out.print(text, highlight=False, soft_wrap=True), as_json=as_json)
    if show:
        open_page(to)


def update_history(deployment: Deployment, again: list[str]) -> int:
    """Have the stage observe what is pending, and some hours again; returns how many it observed.

    Raises:
        CliError: The function failed.
    """
    observed, waiting, name = 0, 1, deployment.output("UpdateHistoryFunction")
    while waiting:
        response = deployment.functions.invoke(FunctionName=name, Payload=json.dumps({"slots": again}))
        body = response["Payload"].read().decode()
        if "FunctionError" in response:
            raise CliError(f"The histories were not updated: {plain_cause(body)}", "Running it again is harmless.")
        answer = json.loads(body)
        observed, waiting, again = observed + answer["observed"], answer["waiting"], []
        if waiting:
            say(f"{plural(observed, 'hour')} observed, {waiting:,} to go …")
    return observed


def initialise_histories(
    deployment: Deployment, first: Slot | None, last: Slot | None, timeout: float
) -> dict[str, Any]:
    """Make the histories of a range of hours; returns ``{"slots", "first", "last", "seconds"}``.

    Raises:
        CliError: The range is empty, or the machine failed.
    """
    newest = newest_settled(datetime.now(UTC))
    last = min(last, newest) if last else newest
    if first is None or first > last:
        raise CliError(f"No hour from {first} to {last} is over by 30 minutes.", "Give a range in the past.")
    begun = time.monotonic()
    with progress() as shown:
        task = shown.add_task("Observing", total=None)
        stepfunctions = deployment.stepfunctions

        def show_progress(execution: str) -> None:
            for run in stepfunctions.list_map_runs(executionArn=execution)["mapRuns"]:
                counts = stepfunctions.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
                shown.update(task, total=counts["total"], completed=counts["succeeded"])

        given = {"first": str(first), "last": str(last)}
        outcome = machine.run(stepfunctions, deployment.output("HistoryMachine"), timeout, given, show_progress)
    if not outcome.succeeded:
        raise CliError(f"The histories were not initialised: {outcome.cause}", "Running it again is harmless.")
    slots = sum(1 for _ in slots_between(first, last))
    return {"slots": slots, **given, "seconds": round(time.monotonic() - begun, 1)}
