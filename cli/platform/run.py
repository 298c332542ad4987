"""`sluice run`: one run in full."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pkgutil import resolve_name
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.platform.console import CliError, JsonOption, handled, out, print_result, print_tables, table
from cli.platform.registry import pipelines
from cli.platform.runs import records_of, styled
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.pipelines import RUN_KINDS
from sluice.runs.execution_events import UnknownExecutionError
from sluice.runs.executions_stepfunctions import StepFunctionsHistory
from sluice.runs.model import RunRecord, Step
from sluice.runs.recording import RunRecorder

_BAR = 40  # characters of the longest step


@handled
def run(
    name: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its execution's name or ARN.")],
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Show one run: its steps, what it did, why it failed, where to look further.

    A run that is going on is shown as far as it is.

    Examples:
        sluice run convert-20261122T071500Z-1f2e3d4c
        sluice run 20261122T071500123456Z-1f2e3d4c --stage prd
        sluice run ID --json | jq .steps
    """
    print_result(find_run(connect(stage), name), _show, as_json=as_json)


def find_run(deployment: Deployment, name: str) -> RunRecord:
    """Return a run by its record's id, its subject, or an execution's name or ARN.

    Raises:
        CliError: There is none.
    """
    found = records_of(deployment).find(name)
    if found:
        return found
    for execution in _executions(deployment, name):
        with suppress(UnknownExecutionError):
            return _recorder(deployment).preview(execution, datetime.now(UTC))
    raise CliError(
        f"There is no run {name}.",
        "`sluice runs` lists them, with their ids; one that ended just now follows in seconds.",
    )


def _executions(deployment: Deployment, name: str) -> Iterator[str]:
    """Yield the ARNs of the executions that may be meant."""
    if name.startswith("arn:"):
        yield name
        return
    for pipeline in pipelines():
        if pipeline.executions:
            yield from resolve_name(pipeline.executions)(deployment, name)
    for kind in RUN_KINDS.values():
        yield f"{deployment.output(kind.machine_output).replace(':stateMachine:', ':execution:')}:{name}"


def _recorder(deployment: Deployment) -> RunRecorder:
    lake = deployment.output("LakeBucket")
    return RunRecorder(
        executions=StepFunctionsHistory(deployment.stepfunctions),
        read=S3ObjectStore(deployment.s3, lake).read,
        kinds={deployment.output(kind.machine_output): kind for kind in RUN_KINDS.values()},
        lake=lake,
    )


def _show(record: RunRecord) -> None:
    by = f", started by {record.started_by}" if record.started_by else ""
    subject = f" of {record.subject}" if record.subject else ""
    out.print(f"[bold]{record.kind}{escape(subject)}[/]: {styled(record.outcome)}", highlight=False)
    out.print(f"{record.started_at[:19]} UTC, {record.seconds:,.1f} s{escape(by)}", highlight=False)
    if record.cause:
        where = f" in '{record.failed_step}'" if record.failed_step else ""
        out.print(f"[red]Cause{escape(where)}:[/] {escape(record.cause)}", highlight=False, soft_wrap=True)
    counts = ((name.replace("_", " "), f"{count:,}") for name, count in record.counts.items() if count)
    rows = ((name, f"{count:,}") for name, count in record.rows.items())
    dirty = ((name, reason, f"{n:,}") for name, reasons in record.dirty.items() for reason, n in reasons.items())
    print_tables(
        {
            "Steps": _step_table(record.steps),
            "Figures": table("Figure", "Number", rows=counts),
            "Rows": table("Table", "Rows", rows=rows),
            "Dirty events": table("Table", "Reason", "Events", rows=dirty),
        }
    )
    for link, address in {**record.links, "execution": record.execution}.items():
        out.print(f"{link}: {escape(address)}", highlight=False, soft_wrap=True)


def _step_table(steps: tuple[Step, ...]) -> Table:
    longest = max((step.seconds for step in steps), default=0.0)

    def cells(step: Step) -> tuple[str, ...]:
        bar = "█" * round(_BAR * step.seconds / longest) if longest else ""
        failures = f"[red]{step.failures:,}[/]" if step.failures else ""
        return escape(step.name), f"{step.seconds:,.1f}", f"[cyan]{bar}[/]", failures

    return table("Step", "Seconds", "", "Failed attempts", rows=map(cells, steps))
