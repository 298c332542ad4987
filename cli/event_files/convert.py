"""`sluice convert`: turn the clean events that wait into Parquet."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Column

from cli.event_files.ledger import runs_of
from cli.platform import machine
from cli.platform.console import CliError, JsonOption, err, fail, handled, out, plural, print_result, say, table, titled
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.lake.object_store import commit_key
from sluice.lake.object_store_s3 import S3ObjectStore

CONVERTED = "converted"
NOTHING_TO_DO = "nothing_to_do"
BUSY = "busy"
FAILED = "failed"
_FIGURES = ("files", "events", "rows", "parquet_files", "left_out")

# Another run may begin between the end of the one that was waited for and the start of this one.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Conversion:
    """The document of `sluice convert --json`.

    `rows` are by table, `seconds` from start to end as the operator waited; the chunks `left_out` wait on.
    """

    run_id: str | None
    status: str
    files: int = 0
    events: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    parquet_files: int = 0
    seconds: float = 0.0
    left_out: Sequence[Mapping[str, Any]] = ()


@handled
def convert(
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the run to end.")] = 900.0,
) -> None:
    """Turn the clean events that wait into Parquet.

    Starts the Convert machine, waits for its end and prints the run's
    summary. When another run is at work it waits for that one first.
    Exit code 0: all that waited is converted, or nothing was waiting. Chunks
    that cannot be converted are named with their reasons; they wait on, and
    the next run tries them again, apart from the others.

    Examples:
        sluice convert
        sluice convert --stage dev --json | jq .rows
    """
    deployment = connect(stage)
    with err.status("Converting …"):
        conversion, outcome = run_conversion(deployment, timeout)
    print_result(conversion, show, as_json=as_json)
    if error := error_of(deployment, conversion, outcome):
        fail(error)


def run_conversion(deployment: Deployment, timeout: float) -> tuple[Conversion, machine.Outcome]:
    """Convert what waits, after any run that is at work.

    Raises:
        CliError: The execution still runs after `timeout` seconds.
    """
    begun = time.monotonic()
    outcome = _run_when_free(deployment, timeout)
    run_id = outcome.output.get("run_id")
    status = str(outcome.output.get("status", "planned")) if outcome.succeeded else FAILED
    figures: dict[str, Any] = {}
    if status == "planned":
        lake = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
        commit = orjson.loads(lake.read(commit_key(outcome.output["run_id"])))
        status, figures = CONVERTED, {name: commit[name] for name in _FIGURES}
    return Conversion(run_id, status, **figures, seconds=round(time.monotonic() - begun, 1)), outcome


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


def error_of(deployment: Deployment, conversion: Conversion, outcome: machine.Outcome) -> CliError | None:
    """Return the reason why the work is not done; None when it is done."""
    if conversion.status == BUSY:
        return CliError(
            "Other runs kept converting; nothing was started.", "Try again later; `sluice status` shows the runs."
        )
    if conversion.left_out:
        first = conversion.left_out[0]
        return CliError(
            f"{plural(len(conversion.left_out), 'chunk')} could not be converted and wait on; the others are. "
            f"Chunk {first['chunk_id']}: {first['reason']}",
            "Mend the cause; the next run takes it. `sluice ingest --again CHUNK` validates the files of a chunk once "
            "more that is lost for good, or fails again and again.",
        )
    if conversion.status != FAILED:
        return None
    where = f" in '{outcome.state}'" if outcome.state else ""
    return CliError(
        f"The conversion failed{where}: {outcome.cause}",
        "What it did not convert waits on, and the next run goes on where this one stopped. "
        f"Look at {machine.link(deployment, outcome)}",
    )


def show(conversion: Conversion) -> None:
    """Print a run's summary."""
    if conversion.status != CONVERTED:
        out.print(f"Conversion: {conversion.status.replace('_', ' ')}.")
        return
    counts = ((name, f"{count:,}") for name, count in sorted(conversion.rows.items()))
    shown = table("Table", Column("Rows", justify="right"), rows=counts)
    rows, files = plural(sum(conversion.rows.values()), "row"), plural(conversion.files, "file")
    parquet = plural(conversion.parquet_files, "Parquet file")
    title = f"{rows} from {files}, in {parquet} ({conversion.seconds:.1f} s, run {conversion.run_id})"
    out.print(titled(title, shown))
    for chunk in conversion.left_out:
        out.print(left_out_text(chunk["chunk_id"], chunk), highlight=False, soft_wrap=True)


def left_out_text(chunk_id: str, chunk: Mapping[str, Any]) -> str:
    """Return the line about a chunk that was left out: its files and clean events, and why."""
    counted = f"{plural(chunk['files'], 'file')}, {plural(chunk['events'], 'event')}"
    what = counted if chunk["files"] else "part of a file that a later chunk counts"
    return f"[red]Left out:[/] chunk {chunk_id} ({what}): {escape(chunk['reason'])}"


def executions_of_run(deployment: Deployment, run_id: str) -> list[str]:
    """Return the execution that works on a run, while the run is open."""
    run = runs_of(deployment).open_run()
    return [run.execution] if run and run.run_id == run_id else []
