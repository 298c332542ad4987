"""Where to look next."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from cli.demo.delivery import FOLDER
from cli.platform.session import Deployment
from cli.vendor_exports.exports import environment_of

REPORT = FOLDER.parent / "export-report.html"
"""Where the demo writes the report on the exports."""

_COMMANDS = (
    ("sluice status", "what waits, what ran, what is dirty"),
    ("sluice tables", "every table; with a name: its columns"),
    ('sluice query "select * from profiling_log where not passed" --rows 5', "why events are dirty"),
    ("sluice ingest FILE…", "your own files"),
    ("sluice convert", "and into the tables"),
    ("sluice vendor", "a vendor to try exports with: `sluice export --vendor-url URL`"),
    ("sluice history report --open", "what became of every hour's export"),
    ("sluice local down", "stop everything"),
)


def summary(stage: Deployment) -> RenderableType:
    """What is where, and which commands to try."""
    places = _columns()
    for name, place in _places(stage):
        places.add_row(name, place)
    commands = _columns()
    for command, does in _COMMANDS:
        commands.add_row(f".venv/bin/{command}", f"[dim]{does}[/]")
    content = Group(places, "", "[bold]Try[/]", commands)
    return Panel(content, title="Where to look next", title_align="left", expand=False)


def _places(stage: Deployment) -> list[tuple[str, str]]:
    lake = stage.output("LakeBucket")
    return [
        ("endpoint", f"{stage.endpoint}  [dim]any AWS tool: AWS_ENDPOINT_URL, keys test/test, us-east-1[/]"),
        ("files", str(FOLDER)),
        ("source", f"s3://{stage.output('SourceBucket')}/"),
        ("dirty", f"s3://{lake}/data/dirty_json/"),
        ("tables", f"s3://{lake}/data/clean_parquet/"),
        ("runs", f"s3://{lake}/runs/"),
        ("exports", f"s3://{lake}/{environment_of(stage).hourly}"),
        ("report", str(REPORT)),
        ("catalog", f"database {stage.output('Database')}, workgroup {stage.output('Workgroup')}"),
    ]


def _columns() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
