"""`sluice tables`: what the catalog holds."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.platform.console import out, say_json
from cli.platform.errors import CliError, handled
from cli.platform.options import JsonOption, StageOption
from cli.platform.session import LOCAL, Deployment, connect

_CATALOG = "AwsDataCatalog"


@handled
def tables(
    name: Annotated[str, typer.Argument(help="A table, to see its columns; all tables without it.")] = "",
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """List the tables of the stage's catalog, or the columns of one.

    Examples:
        sluice tables
        sluice tables microone_pred
    """
    found = catalog(connect(stage))
    if name:
        found = [table for table in found if table["name"] == name.lower()]
        if not found:
            raise CliError(f"The catalog has no table {name}.", "`sluice tables` lists them.")
    if as_json:
        say_json(found)
    else:
        out.print(_columns(found[0]) if name else _names(found))


def catalog(deployment: Deployment) -> list[dict[str, Any]]:
    """The catalog's tables, each with its columns, the partition keys last."""
    pages = deployment.athena.get_paginator("list_table_metadata").paginate(
        CatalogName=_CATALOG, DatabaseName=deployment.output("Database")
    )
    return [
        {
            "name": table["Name"],
            "columns": [
                {"name": column["Name"], "type": column.get("Type", ""), "doc": column.get("Comment", "")}
                for column in (*table.get("Columns", []), *table.get("PartitionKeys", []))
            ],
        }
        for page in pages
        for table in page["TableMetadataList"]
    ]


def _names(found: list[dict[str, Any]]) -> Table:
    shown = Table("Table", "Columns")
    for table in found:
        shown.add_row(table["name"], ", ".join(column["name"] for column in table["columns"]))
    return shown


def _columns(table: dict[str, Any]) -> Table:
    shown = Table("Column", "Type", "What it holds")
    for column in table["columns"]:
        shown.add_row(column["name"], escape(column["type"]), escape(column["doc"]))
    return shown
