"""`sluice query` and `sluice tables`: the lake in SQL, through the stage's Athena workgroup, and its catalog.

Plain boto3 rather than awswrangler, which people may use beside it (the extra `query`, docs/tables.md): its
`read_sql_query` takes empty texts and the text NaN for nulls, gives nested values as the same text that cannot be read
back, and takes two seconds more to import. It reads 200,000 rows in a quarter of the time; people ask for fewer.
"""

import itertools
import math
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.markup import escape

from cli.platform.console import (
    CliError,
    JsonOption,
    err,
    handled,
    out,
    plural,
    print_result,
    say,
    say_json,
    table,
    wrapped_column,
)
from cli.platform.machine import polls
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.platform.sql import as_of as sql_as_of
from cli.platform.sql import assert_reads, nested_as_json

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import RowTypeDef

Row = list[Any]

_NESTED = "nested"  # arrays, maps and rows, which the statement casts to JSON


@dataclass(frozen=True, slots=True)
class Result:
    """The columns of a result, in order, and its rows, read page by page."""

    columns: list[str]
    rows: Iterator[Row]


@handled
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement, in quotes.")],
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    rows: Annotated[int, typer.Option(min=1, help="How many rows the table shows; --json prints all.")] = 100,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 300.0,
    as_of: Annotated[
        str, typer.Option(metavar="SNAPSHOT|TIME", help="Read tables as they were: at a snapshot, or a time (UTC).")
    ] = "",
) -> None:
    """Run SQL in the stage's Athena workgroup and database, and print the rows.

    Numbers, booleans, nulls, arrays and structs keep their types in JSON; a
    table shows arrays and structs as JSON text.

    Examples:
        sluice query "select count(*) as events from microone_pred"
        sluice query "select event_type, count(*) as events from microone_event group by 1"
        sluice query "select id, headline from microtwo_pred where year = 2022" --json
        sluice query "select count(*) from microtwo_pred" --as-of 2026-11-29T18:00
    """
    assert_reads(sql)
    moment = _moment(as_of) if as_of else None
    with err.status("Athena is at work …"):
        deployment = connect(stage)
        tables = _column_types(deployment)
        asked = sql if moment is None else sql_as_of(sql, moment, tables)
        result = run_query(deployment, *nested_as_json(asked, tables), timeout=timeout)
        if as_json:
            document = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    if as_json:
        say_json(document)
    else:
        show(result, rows)


def _moment(text: str) -> int | datetime:
    if text.isdecimal():
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise CliError(
            f"{text!r} is neither a snapshot nor a time.",
            "Say 2026-11-29T18:00 (UTC), or a snapshot that `sluice table TABLE` shows.",
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _column_types(deployment: Deployment) -> dict[str, dict[str, str]]:
    return {
        table["name"]: {column["name"]: column["type"] for column in table["columns"]}
        for table in catalog_tables(deployment)
    }


def run_query(deployment: Deployment, sql: str, json_columns: Container[str] = (), *, timeout: float = 300.0) -> Result:
    """Run `sql` in the stage's database; the text of `json_columns` is read as JSON.

    Raises:
        CliError: Athena refuses or fails the query, or it runs longer than `timeout` seconds (it is then stopped).
    """
    client = deployment.athena
    execution = client.start_query_execution(
        QueryString=sql,
        WorkGroup=deployment.output("Workgroup"),
        QueryExecutionContext={"Database": deployment.output("Database")},
    )["QueryExecutionId"]
    _wait(client, execution, timeout)
    pages = iter(client.get_paginator("get_query_results").paginate(QueryExecutionId=execution))
    first = next(pages)["ResultSet"]
    columns = first["ResultSetMetadata"]["ColumnInfo"]
    names = [column["Name"] for column in columns]
    types = [_NESTED if column["Name"] in json_columns else column["Type"] for column in columns]
    # The first row of a SELECT repeats the column names; that of a SHOW does not.
    has_header = bool(first["Rows"]) and _texts(first["Rows"][0]) == names
    more = itertools.chain.from_iterable(page["ResultSet"]["Rows"] for page in pages)
    rows = itertools.chain(first["Rows"][has_header:], more)
    return Result(unique_names(names), _typed_rows(rows, types))


def _wait(client: "AthenaClient", execution: str, timeout: float) -> None:
    for _ in polls(timeout, longest=2.0):
        status = client.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in {"FAILED", "CANCELLED"}:
            reason = status.get("StateChangeReason") or status["State"].lower()
            raise CliError(f"Athena could not run the query: {reason}", "`sluice tables` lists tables and columns.")
    client.stop_query_execution(QueryExecutionId=execution)
    raise CliError(f"The query was stopped after {timeout:.0f} s.", "Filter on year, month and day, or --timeout.")


def unique_names(names: list[str]) -> list[str]:
    """Return the names with numbers added where two are the same, so that no column hides another."""
    seen = (names[: place + 1].count(name) for place, name in enumerate(names))
    return [name if count == 1 else f"{name}_{count}" for name, count in zip(names, seen, strict=True)]


def _texts(row: "RowTypeDef") -> list[str | None]:
    return [datum.get("VarCharValue") for datum in row.get("Data", [])]


def _typed_rows(rows: Iterable["RowTypeDef"], types: list[str]) -> Iterator[Row]:
    for row in rows:
        yield [None if text is None else typed(text, kind) for text, kind in zip(_texts(row), types, strict=True)]


def typed(text: str, kind: str) -> Any:  # noqa: ANN401 - the type is the column's
    """Return a value from Athena's text.

    JSON that the statement made stays text, because the local cloud does not tell it from text.
    """
    convert = _TYPES.get(kind.partition("(")[0])
    return convert(text) if convert else text


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text  # JSON has no NaN and no infinity


_TYPES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint"), int),
    **dict.fromkeys(("float", "real", "double", "decimal"), _number),
    "boolean": lambda text: text == "true",
    _NESTED: orjson.loads,
}


def show(result: Result, limit: int) -> None:
    """Print a result as a table of at most `limit` rows."""
    rows = list(itertools.islice(result.rows, limit))
    out.print(table(*map(wrapped_column, map(escape, result.columns)), rows=(map(_text, row) for row in rows)))
    more = next(result.rows, None) is not None
    say(f"The first {len(rows):,} rows; --rows shows more, --json all." if more else f"{plural(len(rows), 'row')}.")


def _text(value: object) -> str:
    if value is None:
        return "[dim]null[/]"
    if isinstance(value, bool | list | dict):
        return escape(orjson.dumps(value).decode())
    return escape(str(value))


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
    found = catalog_tables(connect(stage))
    if name:
        found = [table for table in found if table["name"] == name.lower()]
        if not found:
            raise CliError(f"The catalog has no table {name}.", "`sluice tables` lists them.")
    print_result(found, _show_columns if name else _show_tables, as_json=as_json)


def catalog_tables(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the catalog's tables, each with its columns, the partition keys last."""
    pages = deployment.athena.get_paginator("list_table_metadata").paginate(
        CatalogName="AwsDataCatalog", DatabaseName=deployment.output("Database")
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


def _show_tables(found: list[dict[str, Any]]) -> None:
    rows = ((each["name"], ", ".join(column["name"] for column in each["columns"])) for each in found)
    out.print(table("Table", "Columns", rows=rows))


def _show_columns(found: list[dict[str, Any]]) -> None:
    rows = ((column["name"], escape(column["type"]), escape(column["doc"])) for column in found[0]["columns"])
    out.print(table("Column", "Type", "What it holds", rows=rows))
