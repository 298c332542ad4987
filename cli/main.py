"""The `sluice` command: its commands and nothing else."""

from __future__ import annotations

import typer

from cli.contracts import command
from cli.demo.command import demo
from cli.event_files import media
from cli.event_files.convert import convert
from cli.event_files.file import file
from cli.event_files.generate import generate
from cli.event_files.ingest.command import ingest
from cli.platform import local
from cli.platform.cost import cost
from cli.platform.deploy import deploy
from cli.platform.query import query
from cli.platform.report import report
from cli.platform.runs import run, runs
from cli.platform.status import status
from cli.platform.tables import tables
from cli.vendor_exports import history
from cli.vendor_exports.export import export
from cli.vendor_exports.vendor import vendor

app = typer.Typer(
    name="sluice",
    help="Sluice: the gate in front of a data lake. Event files go in, clean, typed, queryable tables come out; "
    "vendor exports are fetched and proven complete.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
)

app.add_typer(local.app, name="local", rich_help_panel="Deployments")
app.command(rich_help_panel="Deployments")(deploy)
app.command(rich_help_panel="Data")(ingest)
app.command(rich_help_panel="Data")(convert)
app.command(rich_help_panel="Data")(export)
app.command(rich_help_panel="Data")(query)
app.command(rich_help_panel="Data")(tables)
app.command(rich_help_panel="Data")(status)
app.command(rich_help_panel="Data")(runs)
app.command(rich_help_panel="Data")(run)
app.command(rich_help_panel="Data")(file)
app.command(rich_help_panel="Data")(report)
app.command(rich_help_panel="Deployments")(cost)
app.add_typer(history.app, name="history", rich_help_panel="Data")
app.add_typer(media.app, name="media", rich_help_panel="Data")
app.add_typer(command.app, name="contract", rich_help_panel="Contracts and samples")
app.command(rich_help_panel="Contracts and samples")(generate)
app.command(rich_help_panel="Contracts and samples")(vendor)
app.command(rich_help_panel="Contracts and samples")(demo)


def main() -> None:
    """Run the command."""
    app(prog_name="sluice")


if __name__ == "__main__":
    main()
