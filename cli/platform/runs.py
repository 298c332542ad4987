"""`sluice runs`: the records of runs, as a list."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.platform.console import JsonOption, handled, nowrap_column, out, print_result, say, wrapped_column
from cli.platform.registry import pipelines
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.pipelines import RUN_KINDS
from sluice.runs.model import Result, RunRecord
from sluice.runs.records import LOOK_BACK, RunRecords

_STYLES = {Result.WORKED: "green", Result.IDLE: "dim", Result.FAILED: "red"}
_CAUSE_LENGTH = 40
_WIDE = 160  # columns of a terminal that shows all of a run in a line


if TYPE_CHECKING:
    KindName = str
else:
    KindName = StrEnum("KindName", {name: name for name in RUN_KINDS})


@handled
def runs(
    stage: StageOption = LOCAL,
    kind: Annotated[KindName | None, typer.Option(help="Only runs of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many runs.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the last runs of every pipeline, the newest first.

    Every run leaves a record when it ends. Older ones than a month are in the
    table runs: sluice query "select * from runs where year = 2026".

    Examples:
        sluice runs
        sluice runs --kind export --limit 48 --stage prd
        sluice runs --json | jq '.[] | select(.outcome == "failed") | .cause'
    """
    print_result(records_of(connect(stage)).recent(datetime.now(UTC), limit, kind), _show, as_json=as_json)


def _show(found: list[RunRecord]) -> None:
    if found:
        out.print(run_table(found))
    else:
        say(f"No run has ended in the last {LOOK_BACK.days} days.")


def records_of(deployment: Deployment) -> RunRecords:
    """Return the run records in a stage's lake."""
    return RunRecords(S3ObjectStore(deployment.s3, deployment.output("LakeBucket")), RUN_KINDS)


def run_table(found: list[RunRecord]) -> Table:
    """Return runs, one row each; a narrow terminal shows no subject, no starter and no frame, but the whole id."""
    columns = (wrapped_column("Started"), *map(nowrap_column, ("Outcome", "Seconds")), wrapped_column("What"))
    if out.width < _WIDE:
        shown = Table(*columns, nowrap_column("Run"), box=None, pad_edge=False, collapse_padding=True)
    else:
        shown = Table(*columns, *map(nowrap_column, ("Run", "Subject")), wrapped_column("By"))
    for record in found:
        started, seconds = record.started_at[:19].replace("T", " "), f"{record.seconds:,.1f}"
        cells = (started, styled(record.outcome), seconds, _headline(record), record.id)
        shown.add_row(*(*cells, escape(record.subject), escape(record.started_by))[: len(shown.columns)])
    return shown


def _headline(record: RunRecord) -> str:
    """Return the counts that say most, or the cause of a failure."""
    if record.cause:
        return escape(record.cause if len(record.cause) <= _CAUSE_LENGTH else f"{record.cause[: _CAUSE_LENGTH - 1]}…")
    headlines = {kind: text for pipeline in pipelines() for kind, text in pipeline.headlines.items()}
    return headlines[record.kind](record.counts) if record.kind in headlines else ""


def styled(outcome: str) -> str:
    """Return an outcome in its colour."""
    results = {name: result for kind in RUN_KINDS.values() for name, result in kind.outcomes.items()}
    style = "yellow" if outcome == "running" else _STYLES[results.get(outcome, Result.FAILED)]
    return f"[{style}]{outcome}[/]"
