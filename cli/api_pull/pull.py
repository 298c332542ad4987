"""`sluice pull`: run the Pull machine, wait for its end, and print what became of each endpoint."""

from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from cli.platform import machine
from cli.platform.console import CliError, JsonOption, err, fail, handled, out, plural, print_result, table, titled
from cli.platform.runs import styled
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.api_pull.model import COMPLETE
from sluice.api_pull.pulls import BUSY, NOT_SET_UP
from sluice.lake.object_store_s3 import S3ObjectStore

_SHOWN_REASONS = 3


@handled
def pull(
    stage: StageOption = LOCAL,
    source_url: Annotated[
        str, typer.Option(help="Another API, local stage only: `sluice api` starts a simulator.")
    ] = "",
    date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Day of the snapshot; today, UTC.")] = "",
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the pull to end.")] = 30_000.0,
) -> None:
    """Pull all rows of the application's API: tracks, users and listens.

    Starts the Pull machine, waits for its end and prints what became of each
    endpoint. A day that is pulled again is replaced. Exit code 0: complete.

    Examples:
        sluice pull --source-url http://127.0.0.1:4590
        sluice pull --stage prd
        sluice pull --stage dev --json | jq .endpoints.tracks
    """
    deployment = connect(stage)
    with err.status("Pulling …"):
        result = run_pull(deployment, timeout, source_url, date)
    print_result(result, show, as_json=as_json)
    if result["status"] != COMPLETE:
        advice = "docs/runbook.md says what to do about it."
        fail(CliError(f"The pull is {result['status']}: {result['cause'].rstrip('.')}.", advice))


def run_pull(deployment: Deployment, timeout: float, source_url: str = "", date: str = "") -> dict[str, Any]:
    """Pull, wait for the end, and return the result.

    Raises:
        CliError: The pull was not begun, still runs after `timeout` seconds, or left no result.
    """
    _assert_right_source(deployment, source_url)
    wanted = {name: value for name, value in (("source_url", source_url), ("date", date)) if value}
    outcome = machine.run(deployment.stepfunctions, deployment.output("PullMachine"), timeout, wanted)
    if outcome.output.get("decision") == BUSY:
        raise CliError("Another pull is at work.", "`sluice status` shows the runs; wait for its end.")
    if outcome.output.get("decision") == NOT_SET_UP:
        raise CliError("The stage has no source.", "Set source_url of api_pull in stages.toml, then `sluice deploy`.")
    if "result" not in outcome.output:
        raise CliError(f"{outcome.end or outcome.state}: {outcome.cause}", machine.link(deployment, outcome))
    lake = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
    result: dict[str, Any] = orjson.loads(lake.read(outcome.output["result"]["key"]))
    return result


def _assert_right_source(deployment: Deployment, source_url: str) -> None:
    if source_url and not deployment.local:
        raise CliError("Only a stage in the local cloud takes another source.", "Leave --source-url out.")
    if not source_url and deployment.local:
        raise CliError("The local cloud has no source.", "Start one with `sluice api`, then give --source-url URL.")
    if source_url:
        from sluice.http.answers import UrlRefusedError  # noqa: PLC0415 - slow to import
        from sluice.http.url_policy_http import LoopbackPolicy  # noqa: PLC0415 - slow to import

        try:
            LoopbackPolicy().target(source_url)
        except UrlRefusedError as error:
            raise CliError(f"--source-url {source_url}: {error}.", "Such as http://127.0.0.1:4590") from error


def show(result: dict[str, Any]) -> None:
    """Print what became of each endpoint."""
    rows = [
        (
            name,
            styled(each["status"]),
            *(f"{each[count]:,}" for count in ("pages", "rows", "clean")),
            escape(_reasons(each["dirty"])),
            f"{each['restarts']:,}",
            f"{each['retries']:,}",
            f"{each['seconds']:.1f}",
        )
        for name, each in result["endpoints"].items()
    ]
    headers = ("Endpoint", "Status", "Pages", "Rows", "Clean", "Dirty", "Restarts", "Retries", "Seconds")
    shown = ", ".join(f"{rows:,} {name}" for name, rows in result["mart"].items())
    title = f"Snapshot {result['snapshot']}: {result['status']}; the mart shows {shown}"
    out.print(titled(title, table(*headers, rows=rows)))
    for name, each in result["endpoints"].items():
        if each["cause"]:
            out.print(f"{name}: {each['cause']}", markup=False, highlight=False)


def _reasons(dirty: dict[str, int]) -> str:
    most = sorted(dirty.items(), key=lambda each: -each[1])
    more = f", {plural(len(most) - _SHOWN_REASONS, 'reason')} more" if len(most) > _SHOWN_REASONS else ""
    return ", ".join(f"{count:,} {reason}" for reason, count in most[:_SHOWN_REASONS]) + more or "0"
