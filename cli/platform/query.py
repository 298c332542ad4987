"""`sluice query`: ask the lake a question in SQL."""

from __future__ import annotations

import itertools
import re
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.platform import athena
from cli.platform.console import err, out, plural, say, say_json
from cli.platform.errors import CliError, handled
from cli.platform.options import JsonOption, StageOption
from cli.platform.session import LOCAL, connect

_COMMENTS = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_READS = re.compile(r"\(|(?:select|with|values|table|show|describe|explain)\b", re.IGNORECASE)


@handled
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement, in quotes.")],
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    rows: Annotated[int, typer.Option(min=1, help="How many rows the table shows; --json prints all.")] = 100,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 300.0,
) -> None:
    """Run SQL in the stage's Athena workgroup and database, and print the rows.

    Numbers, booleans and nulls keep their types in JSON. Arrays and structs
    come as the text Athena writes; cast(column as json) makes that text JSON.

    Examples:
        sluice query "select count(*) as events from microone_pred"
        sluice query "select event_type, count(*) as events from microone_event group by 1"
        sluice query "select id, headline from microtwo_pred where year = 2022" --json
    """
    assert_reads(sql)
    with err.status("Athena is at work …"):
        result = athena.query(connect(stage), sql, timeout)
        if as_json:
            document = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    if as_json:
        say_json(document)
    else:
        show(result, rows)


def assert_reads(sql: str) -> None:
    """Refuse what is no question: the catalog belongs to the deployment, and no deployment mends a dropped table.

    Raises:
        CliError: There is no statement, or one that may change something.
    """
    comments = _COMMENTS.match(sql)
    statement = sql[comments.end() if comments else 0 :]
    if not statement:
        raise CliError("There is no SQL.", 'Try: sluice query "select count(*) from microone_event"')
    if not _READS.match(statement):
        raise CliError(f"This command only reads: it does not run {statement.split()[0]!r}.", "Ask with select.")


def show(result: athena.Result, limit: int) -> None:
    """Print a result as a table of at most `limit` rows."""
    shown = Table()
    for name in result.columns:
        shown.add_column(escape(name), overflow="fold")
    count = 0
    for row in itertools.islice(result.rows, limit):
        shown.add_row(*(_text(value) for value in row))
        count += 1
    out.print(shown)
    more = next(result.rows, None) is not None
    say(f"The first {count:,} rows; --rows shows more, --json all." if more else f"{plural(count, 'row')}.")


def _text(value: object) -> str:
    if value is None:
        return "[dim]null[/]"
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))
