"""`sluice demo`: all pipelines on this machine, with generated files, a simulated vendor and application."""

import time
from collections.abc import Iterable
from itertools import count
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from cli.api_pull import pull
from cli.demo import producers
from cli.demo.questions import LISTENED, QUESTIONS, row_counts_sql
from cli.event_files import convert, ingest
from cli.event_files.file_generation import event_files
from cli.event_files.generate import write
from cli.event_files.ingest import Totals
from cli.event_files.upload import input_files
from cli.platform import local_cloud
from cli.platform.console import CliError, err, handled, out, plural, say
from cli.platform.deploy import deploy_stage
from cli.platform.query import run_query, show
from cli.platform.session import LOCAL, Deployment, connect
from cli.vendor_exports import export
from cli.vendor_exports.history import initialise_histories
from cli.vendor_exports.slots import environment_of
from sluice.api_pull.model import COMPLETE
from sluice.contracts.load import load_registry
from sluice.vendor_exports.delivery.model import DELIVERED

_FILES, _EVENTS, _SEED = 40, 2000, 1
_TIMEOUT = 180.0
_REFILL = "Was the local cloud filled by another version? Then `sluice local down`, and again."
_REPORT = producers.FOLDER.parent / "export-report.html"
_COMMANDS = (
    ("sluice status", "what waits, what ran, what is dirty"),
    ("sluice tables", "every table; with a name: its columns"),
    ('sluice query "select * from profiling_log where not passed" --rows 5', "why events are dirty"),
    ("sluice ingest FILE…", "your own files"),
    ("sluice convert", "and into the tables"),
    ("sluice vendor", "a vendor to try exports with: `sluice export --vendor-url URL`"),
    ("sluice api", "an application to try pulls with: `sluice pull --source-url URL`"),
    ("sluice history report --open", "what became of every hour's export"),
    ("sluice local down", "stop everything"),
)


class Steps:
    """Headings of the steps, with the time they begin."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._numbers = count(1)

    def begin(self, title: str) -> None:
        """Print the heading of the next step."""
        number = next(self._numbers)
        out.print(f"\n[bold cyan]━━ {number}  {title}[/]  [dim]{self.seconds():.0f} s[/]\n", highlight=False)

    def seconds(self) -> float:
        """Return the seconds that the demo has taken so far."""
        return time.monotonic() - self._begun


@handled
def demo(
    port: Annotated[int | None, typer.Option(help="The local cloud's port, should it have to be started.")] = None,
) -> None:
    """Take made-up event files through the whole pipeline, on this machine.

    Starts the local cloud, deploys the stage local, uploads event files with
    every flaw that occurs, converts them and asks the tables some questions.
    Then it fetches an export from a simulated vendor, makes the histories of
    some days, and pulls a simulated application. Everything stays up
    afterwards; a second run shows that nothing is counted or copied twice.

    Examples:
        sluice demo
        sluice local down
    """
    steps = Steps()
    steps.begin("The local cloud")
    cloud = local_cloud.start(port)
    say(f"Up at {cloud.endpoint}")
    steps.begin("Deploy the stage 'local': the stacks of AWS, as they are")
    deploy_stage(LOCAL)
    stage = connect(LOCAL)
    total = _deliver(stage, steps)
    _convert(stage, steps)
    _ask(stage, steps)
    _compare(stage, total)
    _export(stage, steps)
    _make_histories(stage, steps)
    _pull(stage, steps)
    out.print(_summary(stage))
    say(f"The demo took {steps.seconds():.0f} s.")


def _deliver(stage: Deployment, steps: Steps) -> Totals:
    steps.begin(f"Make up {_FILES} event files, with every flaw that occurs")
    files = list(event_files(load_registry(), _FILES, _EVENTS, _SEED))
    expected = write(producers.FOLDER, files, _FILES)
    producers.put_media(stage, files)
    steps.begin("Ingest: upload them, validate every event")
    reports = ingest.ingest_files(stage, input_files([producers.FOLDER]), _TIMEOUT)
    out.print(ingest.report_table(reports))
    if known := sum(report.status == ingest.KNOWN for report in reports):
        say(f"{plural(known, 'file')} came before: known, and not counted again.")
    found, wanted = ingest.totals(reports), ingest.totals(expected)
    if found != wanted:
        raise CliError(f"The pipeline made of the files: {found}. It should have made: {wanted}.", _REFILL)
    say("Exactly what the files hold, event by event.")
    producers.announce_again(stage, files)
    return found


def _convert(stage: Deployment, steps: Steps) -> None:
    steps.begin("Convert: the Convert machine turns what is clean into Parquet")
    with err.status("Converting …"):
        conversion, outcome = convert.run_conversion(stage, _TIMEOUT)
    if error := convert.error_of(stage, conversion, outcome):
        raise error
    convert.show(conversion)
    if conversion.status == convert.NOTHING_TO_DO:
        say("Everything was converted before.")


def _ask(stage: Deployment, steps: Steps) -> None:
    steps.begin("Ask: SQL in Athena, over the tables of the catalog")
    for question, lines in QUESTIONS.items():
        sql = lines.strip()
        out.print(f"\n[bold]{question}[/]")
        out.print(sql, style="dim", highlight=False, markup=False)
        show(run_query(stage, sql), limit=10)


def _compare(stage: Deployment, total: Totals) -> None:
    """Every clean event must be one row, however often its file was announced and this demo was run."""
    rows = {table: number for table, number in run_query(stage, row_counts_sql(total.clean)).rows if number}
    if rows != total.clean:
        raise CliError(f"The tables hold {rows} rows of the files, but {total.clean} events were clean.", _REFILL)
    events = plural(sum(total.clean.values()), "clean event")
    out.print(f"\n[bold green]{events}, as many rows:[/] nothing lost, nothing counted twice.", highlight=False)


def _export(stage: Deployment, steps: Steps) -> None:
    steps.begin("Export: the Export machine fetches the hour from a vendor who makes trouble")
    with err.status("Exporting …"):
        found = producers.export(stage, _TIMEOUT)
    export.show(found)
    if found.result.status != DELIVERED:
        raise CliError(f"The export is {found.result.status}: {found.result.cause}", "Run the demo again.")
    say("A busy vendor was waited for, expired addresses were asked for again, files that broke off fetched again.")
    if not found.result.copied:
        say("Everything was copied before.")


def _make_histories(stage: Deployment, steps: Steps) -> None:
    from cli.vendor_exports.report_page import exports_page  # noqa: PLC0415 - slow to import

    steps.begin("Histories: what became of every hour of the days before")
    with err.status("Uploading some days …"):
        first = producers.put_past_hours(stage)
    found = initialise_histories(stage, first, None, _TIMEOUT)
    page, _ = exports_page(stage)
    _REPORT.write_bytes(page)
    out.print(f"{plural(found['slots'], 'hour')} in the histories; the report: [bold]{_REPORT}[/]", highlight=False)


def _pull(stage: Deployment, steps: Steps) -> None:
    steps.begin("Pull: the Pull machine reads all tracks, users and listens of an application")
    with err.status("Pulling …"):
        found = producers.pull(stage, _TIMEOUT)
    pull.show(found)
    if found["status"] != COMPLETE:
        raise CliError(f"The pull is {found['status']}: {found['cause']}", "Run the demo again.")
    clean = {name: each["clean"] for name, each in found["endpoints"].items()}
    if found["mart"] != (wanted := dict(zip(found["mart"], clean.values(), strict=True))):
        raise CliError(f"The mart shows {found['mart']}, but clean were {wanted}.", _REFILL)
    say("A busy API was waited for, a page that broke off asked for again, users that changed meanwhile read again.")
    sql = LISTENED.strip().format(found["snapshot"])
    out.print("\n[bold]Whom do people listen to?[/]")
    out.print(sql, style="dim", highlight=False, markup=False)
    show(run_query(stage, sql), limit=10)


def _summary(stage: Deployment) -> RenderableType:
    lake = stage.output("LakeBucket")
    places = {
        "endpoint": str(stage.endpoint),
        "AWS tools": 'eval "$(.venv/bin/sluice local up)"  [dim]leads those of a shell there[/]',
        "files": str(producers.FOLDER),
        "source": f"s3://{stage.output('SourceBucket')}/",
        "dirty": f"s3://{lake}/data/dirty_json/",
        "tables": f"s3://{lake}/data/clean_parquet/",
        "runs": f"s3://{lake}/runs/",
        "exports": f"s3://{lake}/{environment_of(stage).hourly}",
        "report": str(_REPORT),
        "catalog": f"database {stage.output('Database')}, workgroup {stage.output('Workgroup')}",
    }
    commands = ((f".venv/bin/{command}", f"[dim]{does}[/]") for command, does in _COMMANDS)
    content = Group(_two_columns(places.items()), "", "[bold]Try[/]", _two_columns(commands))
    return Panel(content, title="Where to look next", title_align="left", expand=False)


def _two_columns(rows: Iterable[tuple[str, str]]) -> Table:
    shown = Table.grid(padding=(0, 3, 0, 0))
    for row in rows:
        shown.add_row(*row)
    return shown
