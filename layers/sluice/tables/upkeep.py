"""A run of Compact around its rewrites: its plan, and at its end its summary, and what goes with time."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Protocol

import orjson

from sluice.lake.object_store import ObjectStore, commit_key, table_prefix, timestamped_id
from sluice.tables.planning import DataFile, Plan, chosen, left_over, plan_groups, plan_key
from sluice.tables.tidying import References, unneeded


@dataclass(frozen=True, slots=True)
class Compacted:
    """Tells what a run changed in a table: files became fewer, rows that repeat others are `duplicates`."""

    files_before: int = 0
    files_after: int = 0
    rows: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """Tells what a run did: by table, hours that it `left` as they were, what went with time."""

    run_id: str
    tables: Mapping[str, Compacted]
    left: Mapping[str, Sequence[str]]
    rows_expired: int
    snapshots_expired: int
    objects_deleted: int
    bytes_deleted: int

    @property
    def counts(self) -> dict[str, int]:
        """Return the figures of the run's record."""
        changes = self.tables.values()
        return {
            "files_replaced": sum(each.files_before for each in changes),
            "files_made": sum(each.files_after for each in changes),
            "rows_rewritten": sum(each.rows for each in changes),
            "duplicates": sum(each.duplicates for each in changes),
            "hours_left": sum(map(len, self.left.values())),
            "rows_expired": self.rows_expired,
            "snapshots_expired": self.snapshots_expired,
            "objects_deleted": self.objects_deleted,
            "bytes_deleted": self.bytes_deleted,
        }


class Tables(Protocol):
    """Tables and their snapshots."""

    def names(self) -> list[str]:
        """Return the names of all tables of the lake."""

    def files(self, table: str) -> list[DataFile]:
        """Return the files of a table now."""

    def compacted(self, table: str, run_id: str) -> Compacted:
        """Return what a run changed in a table."""

    def drop_days(self, table: str, now: datetime) -> int:
        """Remove the days that a table does not keep any more; return how many rows that are. Raises CommitError."""

    def expire(self, table: str, before: datetime) -> int:
        """Forget snapshots that were not the newest any more before a time; return how many. Raises CommitError."""

    def references(self, table: str) -> References:
        """Return what a table needs of its files and metadata."""


def plan(
    files: ObjectStore,
    tables: Tables,
    wanted: Sequence[str],
    run_id: str,
    *,
    target_bytes: int,
    whole_hours: bool,
) -> Plan:
    """Plan the rewrites of all tables, or of those `wanted`, and publish the plan. Raises UnknownTableError."""
    names = chosen(tables.names(), wanted)
    groups = tuple(
        group
        for table in names
        for group in plan_groups(run_id, table, tables.files(table), target_bytes, whole_hours=whole_hours)
    )
    planned = Plan(run_id, names, groups)
    files.write(plan_key(run_id), orjson.dumps(planned))
    return planned


def new_run_id(now: datetime, token: str) -> str:
    """Return the id of a run of Compact: unlike those of Convert, it begins with a word."""
    return f"compact-{timestamped_id(now, token)}"


def finish(
    planned: Plan,
    files: ObjectStore,
    tables: Tables,
    now: datetime,
    *,
    kept: timedelta,
    grace: timedelta,
) -> Summary:
    """Delete what no table needs since the `grace` period, remove what is over, and sum up.

    That are days that a table does not keep any more, and snapshots older than those `kept`.

    What only the snapshots refer to that go now stays until the next run: a reader may just have begun with one.
    """
    known = tables.names()
    deleted = _sweep(files, tables, known, now - grace)
    rows_expired = sum(tables.drop_days(table, now) for table in known)
    expired = sum(tables.expire(table, now - kept) for table in known)
    there = {table: frozenset(each.key for each in tables.files(table)) for table in planned.tables}
    summary = Summary(
        run_id=planned.run_id,
        tables={table: tables.compacted(table, planned.run_id) for table in planned.tables},
        left=left_over(planned.groups, there),
        rows_expired=rows_expired,
        snapshots_expired=expired,
        objects_deleted=len(deleted),
        bytes_deleted=sum(deleted),
    )
    files.write(commit_key(planned.run_id), orjson.dumps(asdict(summary)))
    return summary


def _sweep(files: ObjectStore, tables: Tables, known: Sequence[str], before: datetime) -> list[int]:
    """Delete what no table needs; return the sizes. What tables need is read first: it never grows by old files."""
    references = {table: tables.references(table) for table in known}
    newest_run = max((each.newest_run for each in references.values()), default="")
    deleted = []
    for table, needed in references.items():
        found = list(unneeded(files.list(table_prefix(table)), needed, newest_run, before))
        files.delete([each.key for each in found])
        deleted += [each.size for each in found]
    return deleted
