"""`sluice table`: the snapshots of a table, and the way back to one of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Column

from cli.platform import console
from cli.platform.console import CliError, JsonOption, handled, nowrap_column, out, plural, say, say_json, titled
from cli.platform.deploy import YesOption, confirm
from cli.platform.session import LOCAL, Deployment, StageOption, connect

if TYPE_CHECKING:
    from sluice.lake.tables_iceberg import IcebergTables, Snapshot


@handled
def table(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="A table of the catalog.")],
    stage: StageOption = LOCAL,
    rollback: Annotated[int | None, typer.Option(metavar="SNAPSHOT", help="Let the table be this snapshot.")] = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the snapshots of a table, the newest first; roll it back to one of them.

    Each commit of a run, and each compaction, makes a snapshot: all of its
    files become rows in one step. Rolling back is such a step, too: queries
    that begin after it read the snapshot; those at work end with what they
    began with. What was rolled back is not converted again. Until snapshots
    expire, rolling back to the newer snapshot undoes it.

    Examples:
        sluice table microone_pred
        sluice table microone_pred --rollback 3051729675574597004
        sluice query --as-of 3051729675574597004 "select count(*) from microone_pred"
    """
    tables = _tables(connect(stage))
    found = _snapshots(tables, name)
    if rollback is not None:
        _roll_back(tables, name, found, rollback, yes=yes)
        found = _snapshots(tables, name)
    if as_json:
        say_json(list(map(_document, found)))
    else:
        _show(name, found)


def _tables(deployment: Deployment) -> "IcebergTables":
    from sluice.lake.tables_iceberg import IcebergTables  # noqa: PLC0415 - slow to import

    database, bucket = deployment.output("Database"), deployment.output("LakeBucket")
    return IcebergTables(deployment.glue, database, bucket, deployment.s3)


def _snapshots(tables: "IcebergTables", name: str) -> list["Snapshot"]:
    from pyiceberg.exceptions import NoSuchIcebergTableError, NoSuchTableError  # noqa: PLC0415 - slow to import

    try:
        return tables.snapshots(name)
    except NoSuchIcebergTableError as error:
        raise CliError(f"Table {name} has no snapshots: it is all files of its folder.") from error
    except NoSuchTableError as error:
        raise CliError(f"The catalog has no table {name}.", "`sluice tables` lists them.") from error


def _roll_back(tables: "IcebergTables", name: str, snapshots: Sequence["Snapshot"], wanted: int, *, yes: bool) -> None:
    from sluice.lake.tables_iceberg import CommitError  # noqa: PLC0415 - slow to import

    by_id = {snapshot.snapshot_id: snapshot for snapshot in snapshots}
    current = next((snapshot for snapshot in snapshots if snapshot.is_current), None)
    if current is None or wanted not in by_id:
        raise CliError(
            f"Table {name} has no snapshot {wanted}.", f"`{console.shell('sluice', 'table', name)}` lists those it has."
        )
    if wanted == current.snapshot_id:
        raise CliError(f"Table {name} is at snapshot {wanted} already.")
    say(f"Table {name} is at {_words(current)}; it would be at {_words(by_id[wanted])}.")
    then, now = set(_line(by_id, wanted)), set(_line(by_id, current.snapshot_id))
    _say_runs("Not in it any more", (each for each in snapshots if each.snapshot_id in now - then))
    _say_runs("In it again", (each for each in snapshots if each.snapshot_id in then - now))
    confirm(f"Roll table {name} back?", yes=yes)
    try:
        tables.roll_back(name, wanted, current.snapshot_id)
    except CommitError as error:
        raise CliError(f"Not rolled back: {error}", "Run the command again.") from error
    say("Queries read it from now on. Runs stay converted: none adds rows again that are not in the table now.")
    undo = console.shell("sluice", "table", name, "--rollback", str(current.snapshot_id))
    say(f"To undo it, before the snapshot expires: {escape(undo)}")


def _line(by_id: dict[int, "Snapshot"], snapshot_id: int | None) -> Iterator[int]:
    """Yield a snapshot and those it came from, as far as they are kept."""
    while snapshot_id is not None and snapshot_id in by_id:
        yield snapshot_id
        snapshot_id = by_id[snapshot_id].parent_id


def _say_runs(what: str, snapshots: Iterable["Snapshot"]) -> None:
    for each in snapshots:
        who = f"run {each.run_id}" if each.run_id else f"snapshot {each.snapshot_id}"
        say(f"  {what}: {escape(who)}, {_changed(each)}.")


def _words(snapshot: "Snapshot") -> str:
    size = f"{plural(snapshot.rows, 'row')} in {plural(snapshot.files, 'file')}"
    return f"snapshot {snapshot.snapshot_id} of {snapshot.committed_at:%Y-%m-%d %H:%M:%S} UTC ({size})"


def _changed(snapshot: "Snapshot") -> str:
    removed = f", -{snapshot.rows_removed:,}" if snapshot.rows_removed else ""
    return f"+{snapshot.rows_added:,}{removed} rows"


def _document(snapshot: "Snapshot") -> dict[str, Any]:
    """Return a snapshot for `--json`: its id as text, for it is more than programs hold exactly in a number."""
    ids = {"snapshot_id": str(snapshot.snapshot_id), "parent_id": snapshot.parent_id and str(snapshot.parent_id)}
    return {**asdict(snapshot), **ids, "committed_at": snapshot.committed_at.isoformat(timespec="milliseconds")}


def _show(name: str, snapshots: Sequence["Snapshot"]) -> None:
    columns = [*map(nowrap_column, ("Snapshot", "Committed, UTC", "Run", "Operation"))]
    columns += [Column(header, justify="right") for header in ("Rows changed", "Rows", "Files", "Size")]
    rows = (
        (
            f"[bold]{each.snapshot_id}[/] ← current" if each.is_current else str(each.snapshot_id),
            f"{each.committed_at:%Y-%m-%d %H:%M:%S}",
            escape(each.run_id),
            each.operation,
            _changed(each).removesuffix(" rows"),
            f"{each.rows:,}",
            f"{each.files:,}",
            decimal(each.bytes),
        )
        for each in snapshots
    )
    if snapshots:
        out.print(titled(f"{escape(name)}: {plural(len(snapshots), 'snapshot')}", console.table(*columns, rows=rows)))
    else:
        say(f"Table {name} has no snapshots yet: nothing was committed to it.")
