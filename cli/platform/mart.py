"""`sluice mart`: the relational mart in SQL, in psql, and as files. It only reads, as the database role of people."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any

import boto3
import typer

from cli.emulator.postgres import bundled_psql
from cli.platform import local_cloud
from cli.platform.console import CliError, JsonOption, err, handled, out, plural, print_result, say, say_json, shell
from cli.platform.query import Result, show, unique_names
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.platform.sql import assert_reads
from sluice.mart.connection_postgres import Connection, Mart, MartAddress, connector, token
from sluice.mart.model import READER, SCHEMA

app = typer.Typer(no_args_is_help=True, help="The relational mart: PostgreSQL on this machine, Aurora DSQL on AWS.")

_SESSION_SECONDS = 3600


class Format(StrEnum):
    """Formats of files."""

    CSV = "csv"
    PARQUET = "parquet"


@app.command()
@handled
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement, in quotes.")],
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    rows: Annotated[int, typer.Option(min=1, help="How many rows the table shows; --json prints all.")] = 100,
) -> None:
    """Ask the mart, in PostgreSQL's SQL, and print the rows.

    Examples:
        sluice mart query "select * from snapshots"
        sluice mart query "select genres, count(*) from listens l join tracks t on t.id = l.track_id group by 1" --json
    """
    assert_reads(sql)
    with _mart(stage) as mart, err.status("The mart is at work …"):
        columns, found = mart.transact(lambda connection: _ask(connection, sql), read_only=True)
    if as_json:
        say_json([dict(zip(columns, row, strict=True)) for row in found])
    else:
        show(Result(columns, iter(found)), rows)


@app.command()
@handled
def psql(
    stage: StageOption = LOCAL,
    only_print: Annotated[bool, typer.Option("--print", help="Print the command, with its token, and stop.")] = False,
) -> None:
    """Open psql on the mart; the views are in the schema mart. Its token lets in for a quarter of an hour.

    Examples:
        sluice mart psql --stage prd
        eval "$(sluice mart psql --print)"
    """
    address, session = _place(stage)
    program = shutil.which("psql") or bundled_psql()
    if not program:
        raise CliError("psql is not installed.", "Install PostgreSQL's client, or use `sluice mart query`.")
    known = {"user": READER, "password": token(session, address, READER), **address.settings}
    settings = {f"PG{'DATABASE' if name == 'dbname' else name.upper()}": value for name, value in known.items()}
    if only_print:
        words = " ".join(f"{name}={shell(value)}" for name, value in settings.items())
        out.print(f"{words} {shell(program)}", highlight=False, markup=False, soft_wrap=True)
        return
    say(f"The views are in the schema {SCHEMA}: \\dv {SCHEMA}.*")
    os.execve(program, [program], {**os.environ, **settings})  # noqa: S606


@app.command()
@handled
def export(
    to: Annotated[Path, typer.Option("--to", help="The folder for the files; it is made if it is not there.")],
    stage: StageOption = LOCAL,
    file_format: Annotated[Format, typer.Option("--format", help="Of the files.")] = Format.CSV,
    as_json: JsonOption = False,
) -> None:
    """Write what the mart's views show to a folder, a file each, all of one moment.

    In CSV, null is nothing between two commas; texts are in quotes. The lake's
    tables have the days before, as Parquet (`sluice tables`).

    Examples:
        sluice mart export --format csv --to exported
        sluice mart export --format parquet --to exported --stage prd
    """
    to.mkdir(parents=True, exist_ok=True)
    write = resolve_name("cli.platform.mart_files:write_views")
    with _mart(stage) as mart, err.status("The mart is at work …"):
        written = mart.transact(lambda connection: write(connection, to, file_format.value), read_only=True)
    print_result(written, lambda _: _show_written(to, written), as_json=as_json)


def _place(stage: str) -> tuple[MartAddress, boto3.Session]:
    """Return where a stage's mart is, and a session that may read it.

    Raises:
        CliError: The stage has no mart.
    """
    deployment = connect(stage)
    if "MartReaderRole" not in deployment.outputs:
        raise CliError(f"Stage '{stage}' has no mart: no pipeline of it uses one.", "Deploy it with this version.")
    if deployment.local:
        return MartAddress(f"{stage}.localhost", local_cloud.require().mart_port), _reader(deployment)
    return MartAddress.parse(deployment.output("MartEndpoint")), _reader(deployment)


def _reader(deployment: Deployment) -> boto3.Session:
    """Return a session with the rights of those who read the mart."""
    role = deployment.output("MartReaderRole")
    taken = deployment.sts.assume_role(RoleArn=role, RoleSessionName="sluice", DurationSeconds=_SESSION_SECONDS)
    key, secret, session = (taken["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    return boto3.Session(key, secret, session, region_name=deployment.session.region_name)


@contextmanager
def _mart(stage: str) -> Iterator[Mart]:
    address, session = _place(stage)
    mart = Mart(connector(address, READER, session))
    try:
        yield mart
    finally:
        mart.close()


def _ask(connection: Connection, sql: str) -> tuple[list[str], list[list[Any]]]:
    cursor = connection.execute(sql.encode())
    names = unique_names([column.name for column in cursor.description or ()])
    return names, [[_plain(value) for value in row] for row in cursor.fetchall()] if names else []


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON has
    """Return a value as JSON has it; numbers stay numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)


def _show_written(to: Path, written: dict[str, int]) -> None:
    for name, count in written.items():
        say(f"{to / name}: {plural(count, 'row')}")
