"""`sluice compact`: make few files of many in the lake's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import typer
from rich.table import Column

from cli.platform import machine
from cli.platform.console import CliError, JsonOption, err, handled, out, plural, print_result, table, titled
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.lake.object_store import commit_key
from sluice.lake.object_store_s3 import S3ObjectStore

_HOURS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Compaction:
    """The document of `sluice compact --json`: what was changed by table, the hours that were `left` as they were."""

    run_id: str
    tables: Mapping[str, Mapping[str, int]]
    left: Mapping[str, Sequence[str]]
    rows_expired: int
    snapshots_expired: int
    objects_deleted: int
    bytes_deleted: int
    optimize: Sequence[str]


@handled
def compact(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables; all, where none is named.")] = None,
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the run to end.")] = 1800.0,
) -> None:
    """Make few files of many in the lake's tables.

    Readers see every row once at every moment, and conversions go on.
    Snapshots that are older than the stage keeps them are removed, and files
    that nothing refers to. Hours that a function cannot hold are named, with
    the statement for Athena.

    Examples:
        sluice compact
        sluice compact MICROONE_EVENT --stage dev --json | jq .tables
    """
    deployment = connect(stage)
    with err.status("Compacting …"):
        outcome = machine.run(
            deployment.stepfunctions, deployment.output("CompactMachine"), timeout, {"tables": tables or []}
        )
    if not outcome.succeeded:
        raise CliError(
            f"The compaction failed in '{outcome.state}': {outcome.cause}",
            f"What is done is done; the next run does the rest. Look at {machine.link(deployment, outcome)}",
        )
    lake = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
    summary = orjson.loads(lake.read(commit_key(outcome.output["run_id"])))
    print_result(Compaction(**summary, optimize=_statements(deployment, summary["left"])), _show, as_json=as_json)


def _show(compaction: Compaction) -> None:
    done = {name: each for name, each in compaction.tables.items() if each["files_before"]}
    rows = ((name, *_figures(each)) for name, each in sorted(done.items()))
    headers = (Column(each, justify="right") for each in ("Files before", "after", "Rows", "Duplicates"))
    gone = f"{plural(compaction.snapshots_expired, 'old snapshot')} and {plural(compaction.objects_deleted, 'object')}"
    if compaction.rows_expired:
        gone = f"{plural(compaction.rows_expired, 'row')} of days that are over, {gone}"
    title = f"{plural(len(done), 'table')} compacted; {gone} removed (run {compaction.run_id})"
    out.print(titled(title, table("Table", *headers, rows=rows)) if done else title)
    for name, hours in compaction.left.items():
        more = ", …" if len(hours) > _HOURS_SHOWN else ""
        out.print(f"Left as it was: {name}, {plural(len(hours), 'hour')} ({', '.join(hours[:_HOURS_SHOWN])}{more})")
    if compaction.optimize:
        out.print("The next run tries them again; those that are left then, too, are for Athena:")
    for statement in compaction.optimize:
        out.print(f"  {statement}", highlight=False, soft_wrap=True)


def _figures(compacted: Mapping[str, Any]) -> list[str]:
    return [f"{compacted[name]:,}" for name in ("files_before", "files_after", "rows", "duplicates")]


def _statements(deployment: Deployment, left: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a statement per table and day that has small files left."""
    days = dict.fromkeys((table, hour[:10]) for table, hours in left.items() for hour in hours)
    return [_statement(deployment.output("Database"), table, day) for table, day in days]


def _statement(database: str, table: str, day: str) -> str:
    year, month, date = map(int, day.split("-"))
    where = f"year = {year} AND month = {month} AND day = {date}"
    return f"OPTIMIZE {database}.{table.lower()} REWRITE DATA USING BIN_PACK WHERE {where}"
