"""The tables' part of `sluice doctor`: the catalog, snapshots and files against one another."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from cli.platform.console import plural, shell
from cli.platform.registry import Check, Finding
from cli.platform.session import Deployment
from cli.tables.references_iceberg import TableReferences, Unreadable
from cli.tables.run_checks import find_unlike_records
from sluice.contracts.load import load_registry
from sluice.lake.object_store import ListedObject, ObjectStore, table_prefix
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.tables.tidying import unneeded

_LEFT = timedelta(days=14)  # Compact deletes much earlier what nothing refers to


def checks(deployment: Deployment) -> list[Check]:
    """Return the checks of tables."""
    bucket = deployment.output("LakeBucket")
    tables = TableReferences(deployment.glue, deployment.output("Database"), bucket, deployment.s3)
    return [
        Check("Tables, their snapshots and files", partial(_find, tables, S3ObjectStore(deployment.s3, bucket))),
        Check("Records of runs and the table RUNS", partial(find_unlike_records, deployment)),
    ]


def _find(tables: TableReferences, lake: ObjectStore, looked_at: Callable[[], None]) -> Iterator[Finding]:
    names = tables.names()
    for table in sorted({each.name for each in load_registry().tables()} - set(names)):
        yield Finding(
            kind="table missing",
            place=table,
            message="the catalog has no Iceberg table of this name in the folder of the lake",
            advice="Deploy the stage. A table that was dropped is new then: `sluice table` shows what it has.",
        )
    newest_run = tables.newest_run(names)
    for table in names:
        yield from _find_in(table, tables, lake, newest_run, looked_at)


def _find_in(
    table: str, tables: TableReferences, lake: ObjectStore, newest_run: str, looked_at: Callable[[], None]
) -> Iterator[Finding]:
    try:
        needed = tables.needed(table)
    except Unreadable as error:
        yield Finding(
            kind="table unreadable",
            place=table,
            message=str(error),
            advice="No query reads the table. Restore the object: a lasting stage's bucket keeps versions.",
        )
        return
    missing = set(needed.references.keys)

    def each_listed() -> Iterator[ListedObject]:
        for each in lake.list(table_prefix(table)):
            looked_at()
            missing.discard(each.key)
            yield each

    left = list(unneeded(each_listed(), needed.references, newest_run, datetime.now(UTC) - _LEFT))
    missing = {key for key in missing if not lake.exists(key)}  # written since the listing came by
    if missing and (missing := missing & tables.needed(table).references.keys):  # not those that went meanwhile
        yield from _broken(table, tables, missing)
    if left:
        yield Finding(
            kind="unreferenced",
            place=table_prefix(table),
            message=f"no snapshot has {plural(len(left), 'object')} of {_bytes(left):,} bytes, such as {left[0].key}",
            advice="`sluice compact` deletes them.",
            harmless=True,
        )


def _broken(table: str, tables: TableReferences, missing: set[str]) -> Iterator[Finding]:
    """Yield the snapshots that need what is missing, the newest first."""
    whole = ""
    for snapshot, lost in tables.lost(table, missing):
        if not lost and not whole:
            whole = str(snapshot.snapshot_id)
    back = f" or roll back: {shell('sluice', 'table', table.lower(), '--rollback', whole)}" if whole else ""
    for snapshot, lost in tables.lost(table, missing):
        if lost and snapshot.is_current:
            yield Finding(
                kind="file gone",
                place=f"{table} {snapshot.snapshot_id}",
                message=f"its newest snapshot needs {plural(len(lost), 'object')} that are gone, such as {min(lost)}",
                advice=f"Restore them (a lasting stage's bucket keeps versions){back}. Queries that need them fail.",
            )
        elif lost:
            yield Finding(
                kind="file gone",
                place=f"{table} {snapshot.snapshot_id}",
                message=f"an older snapshot needs {plural(len(lost), 'object')} that are gone, such as {min(lost)}",
                advice="Do not roll back to it. It goes when it expires.",
                harmless=True,
            )


def _bytes(listed: Iterable[ListedObject]) -> int:
    return sum(each.size for each in listed)
