"""The `sluice` command: its commands and nothing else."""

from __future__ import annotations

import typer

from cli import local
from cli.convert import convert
from cli.deploy import deploy
from cli.ingest.command import ingest
from cli.query import query
from cli.status import status

app = typer.Typer(
    name="sluice",
    help="Sluice: the gate in front of a data lake. Event files go in; clean, typed, queryable tables come out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
)

app.add_typer(local.app, name="local", rich_help_panel="Deployments")
app.command(rich_help_panel="Deployments")(deploy)
app.command(rich_help_panel="Data")(ingest)
app.command(rich_help_panel="Data")(convert)
app.command(rich_help_panel="Data")(query)
app.command(rich_help_panel="Data")(status)

if __name__ == "__main__":
    app()
