"""`sluice generate`: generated event files to try things with."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cli.event_files import ingest
from cli.event_files.file_generation import EventFile, event_files
from cli.event_files.ingest import FileReport
from cli.platform.console import CliError, JsonOption, handled, plural, progress, say
from sluice.contracts.load import load_registry

GENERATED = "generated"


@handled
def generate(
    directory: Annotated[Path, typer.Argument(help="Where to write the files; made if it is not there.")],
    files: Annotated[int, typer.Option(min=1, help="How many files.")] = 40,
    events: Annotated[int, typer.Option(min=0, help="How many events, about, in all files together.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Write made-up event files, and say what the pipeline has to make of them.

    The files hold clean events of all tables, and every flaw that occurs:
    broken rules, unknown services, fragments, invalid JSON, other producers'
    events, the same event in two files; some are compressed.

    Examples:
        sluice generate /tmp/events
        sluice generate /tmp/many --files 20000 --events 400000
        sluice ingest /tmp/events
    """
    made = event_files(load_registry(), files, events, seed)
    reports = write(directory, made, files)
    ingest.print_reports(reports, as_json=as_json)
    if not as_json:
        say(f"{plural(files, 'file')} in {directory}; the table shows what the pipeline has to make of them.")


def write(directory: Path, made: Iterable[EventFile], total: int) -> list[FileReport]:
    """Write the files into the directory, over files of the same names."""
    reports = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with progress() as shown:
            for file in shown.track(made, total=total, description="Written"):
                (directory / file.name).write_bytes(file.body)
                reports.append(_report(file))
    except OSError as error:
        raise CliError(f"{directory} cannot be written: {error.strerror}.", "Name another directory.") from error
    return reports


def _report(file: EventFile) -> FileReport:
    counts = file.counts
    return FileReport(
        key=file.name,
        status=GENERATED,
        bytes=len(file.body),
        events=counts.events,
        clean=dict(sorted(counts.clean.items())),
        dirty=dict(sorted(counts.dirty_by_reason().items())),
        unrelated=counts.unrelated,
    )
