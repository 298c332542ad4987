"""`sluice runs` and `sluice run`: what ran, and one run in full."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.platform.console import out, plural, say, say_json, titled, whole, words
from cli.platform.errors import handled
from cli.platform.options import JsonOption, StageOption
from cli.platform.run_records import find_run, records_of
from cli.platform.session import LOCAL, connect
from sluice.runs.model import Kind, RunRecord, Step
from sluice.runs.records_s3 import LOOK_BACK

_GREEN, _RED, _DIM, _YELLOW = "green", "red", "dim", "yellow"
_STYLES = {
    **dict.fromkeys(("converted", "delivered", "initialised"), _GREEN),
    **dict.fromkeys(("nothing_to_do", "busy", "skipped"), _DIM),
    "running": _YELLOW,
}
_BAR = 40  # characters of the longest step
_ROOM = 160  # columns of a terminal that shows all of a run in a line


@handled
def runs(
    stage: StageOption = LOCAL,
    kind: Annotated[Kind | None, typer.Option(help="Only runs of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many runs.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the last runs of conversions, exports and histories, the newest first.

    Every run leaves a record when it ends. Older ones than a month are in the
    table runs: sluice query "select * from runs where year = 2026".

    Examples:
        sluice runs
        sluice runs --kind export --limit 48 --stage prd
        sluice runs --json | jq '.[] | select(.outcome == "failed") | .cause'
    """
    found = records_of(connect(stage)).recent(datetime.now(UTC), limit, kind)
    if as_json:
        say_json([record.to_json() for record in found])
    elif found:
        out.print(listed(found))
    else:
        say(f"No run has ended in the last {LOOK_BACK.days} days.")


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
    found = find_run(connect(stage), name)
    if as_json:
        say_json(found.to_json())
    else:
        _show(found)


def listed(found: list[RunRecord]) -> Table:
    """Runs, one row each; a narrow terminal shows no subject, no starter and no frame, but the whole id."""
    columns = (words("Started"), whole("Outcome"), whole("Seconds"), words("What"), whole("Run"))
    if out.width < _ROOM:
        shown = Table(*columns, box=None, pad_edge=False, collapse_padding=True)
    else:
        shown = Table(*columns, whole("Subject"), words("By"))
    for record in found:
        started, seconds = record.started_at[:19].replace("T", " "), f"{record.seconds:,.1f}"
        cells = (started, styled(record.outcome), seconds, _what(record), record.id)
        shown.add_row(*(*cells, escape(record.subject), escape(record.started_by))[: len(shown.columns)])
    return shown


def _what(record: RunRecord) -> str:
    """The figures that say most, or why there are none."""
    counts = record.counts
    if record.cause:
        return escape(record.cause if len(record.cause) <= _BAR else f"{record.cause[: _BAR - 1]}…")
    if record.kind is Kind.EXPORT:
        return f"{counts['copied']:,} of {plural(counts['promised'], 'file')}" if counts["promised"] else ""
    if record.kind is Kind.HISTORY:
        return plural(counts["observed"], "hour")
    return f"{plural(counts['rows'], 'row')} from {plural(counts['files'], 'file')}" if counts["files"] else ""


def _show(record: RunRecord) -> None:
    by = f", started by {record.started_by}" if record.started_by else ""
    subject = f" of {record.subject}" if record.subject else ""
    out.print(f"[bold]{record.kind.value}{escape(subject)}[/]: {styled(record.outcome)}", highlight=False)
    out.print(f"{record.started_at[:19]} UTC, {record.seconds:,.1f} s{escape(by)}", highlight=False)
    if record.cause:
        where = f" in '{record.failed_step}'" if record.failed_step else ""
        out.print(f"[red]Cause{escape(where)}:[/] {escape(record.cause)}", highlight=False, soft_wrap=True)
    parts = {"Steps": _steps(record.steps), "Figures": _counts(record)}
    parts |= {"Rows": _rows(record), "Dirty events": _dirty(record)}
    for title, table in parts.items():
        if table.row_count:
            out.print(titled(title, table))
    for link, address in {**record.links, "execution": record.execution}.items():
        out.print(f"{link}: {escape(address)}", highlight=False, soft_wrap=True)


def _steps(steps: tuple[Step, ...]) -> Table:
    longest = max((step.seconds for step in steps), default=0.0)
    shown = Table("Step", "Seconds", "", "Failed attempts")
    for step in steps:
        bar = "█" * round(_BAR * step.seconds / longest) if longest else ""
        failures = f"[red]{step.failures:,}[/]" if step.failures else ""
        shown.add_row(escape(step.name), f"{step.seconds:,.1f}", f"[cyan]{bar}[/]", failures)
    return shown


def _counts(record: RunRecord) -> Table:
    shown = Table("Figure", "Number")
    for name, count in record.counts.items():
        if count:
            shown.add_row(name.replace("_", " "), f"{count:,}")
    return shown


def _rows(record: RunRecord) -> Table:
    shown = Table("Table", "Rows")
    for table, count in record.rows.items():
        shown.add_row(table, f"{count:,}")
    return shown


def _dirty(record: RunRecord) -> Table:
    shown = Table("Table", "Reason", "Events")
    for table, reasons in record.dirty.items():
        for reason, count in reasons.items():
            shown.add_row(table, reason, f"{count:,}")
    return shown


def styled(outcome: str) -> str:
    """An outcome in its colour."""
    style = _STYLES.get(outcome, _RED)
    return f"[{style}]{outcome}[/]"
