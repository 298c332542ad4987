"""`sluice convert`: turn the clean events that wait into Parquet, and say what came of it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table

from cli.platform import machine
from cli.platform.console import (
    CliError,
    JsonOption,
    StageOption,
    err,
    handled,
    out,
    plural,
    print_error,
    say,
    say_json,
    titled,
)
from cli.platform.session import LOCAL, Deployment, connect
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.runs.recording import console_link


@handled
def convert(
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the run to end.")] = 900.0,
) -> None:
    """Turn the clean events that wait into Parquet.

    Starts the Convert machine, waits for its end and prints the run's
    summary. When another run is at work it waits for that one first.
    Exit code 0: converted, or nothing was waiting.

    Examples:
        sluice convert
        sluice convert --stage dev --json | jq .rows
    """
    deployment = connect(stage)
    with err.status("Converting …"):
        conversion, outcome = run_conversion(deployment, timeout)
    show(conversion, as_json=as_json)
    if unfinished := unfinished_error(deployment, conversion, outcome):
        print_error(unfinished, as_json=False)
        raise typer.Exit(1)


def show(conversion: Conversion, *, as_json: bool) -> None:
    """Print a run's summary."""
    if as_json:
        say_json(asdict(conversion))
    elif conversion.status == CONVERTED:
        out.print(_table(conversion))
    else:
        out.print(f"Conversion: {conversion.status.replace('_', ' ')}.")


def _table(conversion: Conversion) -> RenderableType:
    shown = Table("Table")
    shown.add_column("Rows", justify="right")
    for name, count in sorted(conversion.rows.items()):
        shown.add_row(name, f"{count:,}")
    rows, files = plural(sum(conversion.rows.values()), "row"), plural(conversion.files, "file")
    parquet = plural(conversion.parquet_files, "Parquet file")
    return titled(f"{rows} from {files}, in {parquet} ({conversion.seconds:.1f} s, run {conversion.run_id})", shown)


CONVERTED = "converted"
NOTHING_TO_DO = "nothing_to_do"
BUSY = "busy"
FAILED = "failed"

# Another run may begin in the moment between the end of the one we waited for and our own start.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did; `rows` by table, `seconds` from start to end as the operator waited."""

    run_id: str | None
    status: str
    files: int = 0
    events: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    parquet_files: int = 0
    seconds: float = 0.0


def run_conversion(deployment: Deployment, timeout: float) -> tuple[Conversion, machine.Outcome]:
    """Convert what waits, after any run that is at work.

    Raises:
        CliError: The execution still runs after `timeout` seconds.
    """
    begun = time.monotonic()
    outcome = _run_when_free(deployment, timeout)
    status = str(outcome.output.get("status", "planned")) if outcome.succeeded else FAILED
    commit: dict[str, Any] = {}
    if status == "planned":
        status, commit = CONVERTED, _read_commit(deployment, outcome.output["run_id"])
    return _conversion(outcome, status, commit, time.monotonic() - begun), outcome


def _run_when_free(deployment: Deployment, timeout: float) -> machine.Outcome:
    machine_arn = deployment.output("ConvertMachine")
    outcome = machine.run(deployment.stepfunctions, machine_arn, timeout)
    for _ in range(_ATTEMPTS - 1):
        if outcome.output.get("status") != BUSY:
            break
        say("Another run is converting; waiting for it to end …")
        if not machine.wait_for_others(deployment.stepfunctions, machine_arn, timeout):
            break
        outcome = machine.run(deployment.stepfunctions, machine_arn, timeout)
    return outcome


def _read_commit(deployment: Deployment, run_id: str) -> dict[str, Any]:
    key = f"runs/{run_id}/commit.json"
    answer = deployment.s3.get_object(Bucket=deployment.output("LakeBucket"), Key=key)
    document: dict[str, Any] = json.loads(answer["Body"].read())
    return document


def _conversion(outcome: machine.Outcome, status: str, commit: dict[str, Any], seconds: float) -> Conversion:
    return Conversion(
        run_id=outcome.output.get("run_id"),
        status=status,
        files=int(commit.get("files", 0)),
        events=int(commit.get("events", 0)),
        rows=dict(commit.get("rows", {})),
        parquet_files=int(commit.get("parquet_files", 0)),
        seconds=round(seconds, 1),
    )


def unfinished_error(deployment: Deployment, conversion: Conversion, outcome: machine.Outcome) -> CliError | None:
    """Why the work is not done, and where to look; None when it is done."""
    if conversion.status == BUSY:
        return CliError(
            "Other runs kept converting; nothing was started.", "Try again later; `sluice status` shows the runs."
        )
    if conversion.status != FAILED:
        return None
    where = f" in '{outcome.state}'" if outcome.state else ""
    link = console_link(outcome.execution) if deployment.stage != LOCAL else outcome.execution
    return CliError(
        f"The conversion failed{where}: {outcome.cause}",
        f"Nothing is lost: the next run goes on where this one stopped. Look at {link}",
    )


def executions_of_run(deployment: Deployment, run_id: str) -> list[str]:
    """Return the execution that works on a run, while the run is open."""
    run = DynamoRunLedger(deployment.dynamodb, deployment.output("LedgerTable")).open_run()
    return [run.execution] if run and run.run_id == run_id else []
