"""The command `sluice ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.event_files.ingest import report
from cli.event_files.ingest.files import InputFile, input_files
from cli.event_files.ingest.records import LedgerRecords
from cli.event_files.ingest.report import FileReport
from cli.event_files.ingest.upload import Uploader
from cli.event_files.ingest.watch import Watch, report_of
from cli.platform.console import err, out, progress, say_json
from cli.platform.errors import handled
from cli.platform.options import JsonOption, StageOption
from cli.platform.session import LOCAL, Deployment, connect
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger

# So many unfinished files are named one by one.
_NAMED = 20


@handled
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, or directories that stand for all files below them.")],
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Give up after so many seconds without any news.")] = 300.0,
) -> None:
    """Upload event files and say what became of each.

    Waits until the ledger has a record of every file, then prints the events
    per table (clean), per reason (dirty) and those of other producers
    (unrelated). A file the ledger knows already is not uploaded again; its
    counts are those of then. Exit code 0: every file has come to its end;
    dirty events are no failure, they are kept with their reasons.

    Examples:
        sluice ingest data/event_files
        sluice ingest 2024/05/*.gz --stage dev --json | jq .totals
    """
    files = input_files(paths)
    reports = ingest_files(connect(stage), files, timeout)
    if as_json:
        say_json(report.document(reports))
    else:
        out.print(report.table(reports))
        _explain(reports)
    if not report.is_done(reports):
        raise typer.Exit(1)


def ingest_files(deployment: Deployment, files: list[InputFile], timeout: float) -> list[FileReport]:
    """Upload the files and wait for their records; the reports come in the order of the files."""
    records = LedgerRecords(DynamoLedger(deployment.dynamodb, deployment.output("LedgerTable")))
    uploader = Uploader(deployment.s3, records, deployment.output("SourceBucket"))
    watch = Watch(records, timeout)
    reports: dict[str, FileReport] = {}
    with progress() as shown:
        uploading = shown.add_task("Uploaded", total=len(files))
        recorded = shown.add_task("Recorded", total=len(files))
        for uploaded in uploader.upload(files):
            if uploaded.known and uploaded.before is not None:
                reports[uploaded.file.key] = report_of(uploaded, uploaded.before)
            else:
                watch.add(uploaded)
            reports |= {found.key: found for found in watch.glance()}
            shown.advance(uploading)
            shown.update(recorded, completed=len(reports))
        for found in watch.finish():
            reports[found.key] = found
            shown.update(recorded, completed=len(reports))
    return [reports[file.key] for file in files]


def _explain(reports: list[FileReport]) -> None:
    """Name the files that did not come to a good end, and what was known before."""
    statuses = report.statuses(reports)
    err.print(", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in statuses.items()))
    unfinished = [found for found in reports if found.status not in report.DONE]
    for found in unfinished[:_NAMED]:
        err.print(f"  [red]{found.status}[/] {escape(found.key)}", highlight=False)
    if len(unfinished) > _NAMED:
        err.print(f"  … and {len(unfinished) - _NAMED:,} more; --json lists them all.")
