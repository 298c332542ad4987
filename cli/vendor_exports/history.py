"""`sluice history`: the histories of the vendor's exports, and the page that shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.platform.console import err, out, plural, say, say_json
from cli.platform.errors import CliError, handled
from cli.platform.options import JsonOption, StageOption, slot_named
from cli.platform.pages import open_page, write_page
from cli.platform.session import LOCAL, Deployment, connect
from cli.vendor_exports.backfill.command import copy_missing
from cli.vendor_exports.exports import environment_of
from cli.vendor_exports.initialisation import initialise
from sluice.aws.failures import plain_cause
from sluice.vendor_exports.completeness.keys import REPORT, observability_key

app = typer.Typer(no_args_is_help=True, help="What became of every hour's export: completeness, volume, gaps.")
app.command("copy-missing")(copy_missing)


@app.command()
@handled
def init(
    first: Annotated[str, typer.Option("--from", help="First hour, UTC, as YYYYMMDD-HH.")],
    last: Annotated[str | None, typer.Option("--to", help="Last hour; the newest that is over unless given.")] = None,
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
    deployment = connect(stage)
    found = initialise(deployment, slot_named(first), slot_named(last), timeout)
    if as_json:
        say_json(found)
    else:
        out.print(f"{plural(found['slots'], 'hour')} in the histories. `sluice history report` shows them.")


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
    if as_json:
        say_json({"slots": observed})
    else:
        out.print(f"{plural(observed, 'hour')} observed.")
        if len(again) > observed:
            say("An hour is looked at again when it is over by 30 minutes and in the histories already.")


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
    from cli.platform import drawing  # noqa: PLC0415 - slow to import

    deployment = connect(stage)
    page, hours = drawing.exports_page(deployment)
    write_page(to, page)
    published = f"s3://{deployment.output('LakeBucket')}/{observability_key(environment_of(deployment), REPORT)}"
    if as_json:
        say_json({"file": str(to), "hours": hours, "published": published})
    else:
        out.print(f"{to}: {plural(hours, 'hour')}. As of the last export: {published}", highlight=False, soft_wrap=True)
    if show:
        open_page(to)


def update_history(deployment: Deployment, again: list[str]) -> int:
    """Have the stage observe what is pending, and some hours again; returns how many it observed.

    Raises:
        CliError: The function failed.
    """
    observed, waiting = 0, 1
    while waiting:
        answer = _invoke(deployment, {"slots": again})
        observed, waiting, again = observed + answer["observed"], answer["waiting"], []
        if waiting:
            say(f"{plural(observed, 'hour')} observed, {waiting:,} to go …")
    return observed


def _invoke(deployment: Deployment, event: dict[str, Any]) -> Any:  # noqa: ANN401 - the function's answer
    name = deployment.output("UpdateHistoryFunction")
    answer = deployment.functions.invoke(FunctionName=name, Payload=json.dumps(event))
    body = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise CliError(f"The histories were not updated: {plain_cause(body)}", "Running it again is harmless.")
    return json.loads(body)
