"""Files of Iceberg tables for their upkeep: which a table has, some replaced by others, snapshots that go."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import FileScanTask
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot
from pyiceberg.table.update import AssertRefSnapshotId, RemoveSnapshotsUpdate

from sluice.contracts.model import PARTITION_KEYS
from sluice.lake.partitions_iceberg import put_files
from sluice.lake.schemas_iceberg import KEPT_DAYS
from sluice.lake.tables_iceberg import RUN, IcebergTables, run_of
from sluice.tables.planning import DataFile
from sluice.tables.rewriting import Rewritten
from sluice.tables.tidying import References, is_of_convert
from sluice.tables.upkeep import Compacted

_THREADS = 16
_REWRITE = "sluice.rewrite"
"""Property of a snapshot's summary: the attempt at a group that it is of."""


class IcebergFiles(IcebergTables):
    """The files of the tables of one database."""

    def files(self, table: str) -> list[DataFile]:
        """Return the files of a table of hours; those of whose rows some are deleted are none of ours to rewrite."""
        current = self._load(table)
        return list(map(_data_file, _whole_files(current))) if _has_hours(current) else []

    def replace(self, table: str, run_id: str, attempt: str, rewritten: Sequence[Rewritten]) -> int:
        """Put new files in the place of those they were made of, in one snapshot; return for how many rewrites.

        A rewrite that has lost one of its files since, to another attempt or a roll-back, is given up.

        Raises:
            CommitError: Others committed first each time, or Glue or S3 refused.
        """
        return self._commit(
            table,
            lambda current: _done_by(current, attempt) or _replace(current, run_id, attempt, rewritten),
            f"run {run_id} could not replace files of table {table}",
        )

    def compacted(self, table: str, run_id: str) -> Compacted:
        """Return what a run changed in a table."""
        counts = [_properties_of(each) for each in self._load(table).snapshots() if run_of(each) == run_id]

        def total(name: str) -> int:
            return sum(int(each.get(name, 0)) for each in counts)

        rows, before = total("added-records"), total("deleted-records")
        return Compacted(total("deleted-data-files"), total("added-data-files"), rows, before - rows)

    def expire(self, table: str, before: datetime) -> int:
        """Forget the snapshots that were not the newest any more before a time; return how many.

        The newest one of a run that added files stays as well: if the run is still open, it tells the next attempt at
        its commit that it is done. Older runs are over, because there is one at a time. So is one older than the
        days that the table keeps: that snapshot would keep what is over.

        Raises:
            CommitError: The table changed each time, or Glue or S3 refused.
        """
        refused = f"old snapshots of table {table} could not be removed"
        return self._commit(table, lambda current: _expire(current, before), refused)

    def drop_days(self, table: str, now: datetime) -> int:
        """Remove the days of a table that are older than it keeps them; return how many rows that are.

        Raises:
            CommitError: The table changed each time, or Glue or S3 refused.
        """
        refused = f"days of table {table} that are over could not be removed"
        return self._commit(table, lambda current: _drop_days(current, now), refused)

    def references(self, table: str) -> References:
        """Return what a table needs of its files and metadata."""
        entry = self._catalog.glue.get_table(DatabaseName=self._database, Name=table.lower())["Table"]
        current = self._load(table)
        locations = {current.metadata_location, *(each.metadata_file for each in current.metadata.metadata_log)}
        locations |= {each.statistics_path for each in current.metadata.statistics}
        locations |= {each.manifest_list for each in current.snapshots()}
        with ThreadPoolExecutor(_THREADS) as threads:  # a week has two thousand small objects to read
            lists = threads.map(lambda each: each.manifests(current.io), current.snapshots())
            manifests = {each.manifest_path: each for found in lists for each in found}
            locations |= manifests.keys()
            locations = locations.union(*threads.map(partial(_locations, current.io), manifests.values()))
        created = entry["CreateTime"].replace(microsecond=0)  # S3 tells when an object was written in whole seconds
        return References(frozenset(map(key_of, locations)), newest_run_of(current), created)


def _locations(io: FileIO, manifest: ManifestFile) -> set[str]:
    return {each.data_file.file_path for each in manifest.fetch_manifest_entry(io, discard_deleted=True)}


def _whole_files(table: IcebergTable) -> list[FileScanTask]:
    tasks = (each for each in table.scan().plan_files() if isinstance(each, FileScanTask))
    return [each for each in tasks if not each.delete_files and None not in _partition(each)]


def _partition(task: FileScanTask) -> tuple[int, ...]:
    partition = task.file.partition
    return tuple(partition[place] for place in range(len(partition)))


def _data_file(task: FileScanTask) -> DataFile:
    year, month, day, hour = _partition(task)
    when = f"{year:04}-{month:02}-{day:02}T{hour:02}"
    return DataFile(key_of(task.file.file_path), when, task.file.record_count, task.file.file_size_in_bytes)


def _replace(table: IcebergTable, run_id: str, attempt: str, rewritten: Sequence[Rewritten]) -> int:
    there = {key_of(each.file.file_path): each.file for each in _whole_files(table)}
    kept = [each for each in rewritten if there.keys() >= set(each.files)]
    if not kept:
        return 0
    bucket = table.location().removeprefix("s3://").partition("/")[0]
    properties = {RUN: run_id, _REWRITE: attempt, f"{_REWRITE}s": str(len(kept))}
    new = [f"s3://{bucket}/{each.key}" for each in kept]
    put_files(table, new, [there[key] for each in kept for key in each.files], properties)
    return len(kept)


def _kept_days(table: IcebergTable) -> int:
    return int(table.properties.get(KEPT_DAYS, 0))


def _drop_days(table: IcebergTable, now: datetime) -> int:
    kept = _kept_days(table)
    if not kept:
        return 0
    oldest = now - timedelta(days=kept)
    first = (oldest.year, oldest.month, oldest.day)
    tasks = (each for each in table.scan().plan_files() if isinstance(each, FileScanTask))
    old = [each.file for each in tasks if None not in _partition(each) and _partition(each)[:3] < first]
    if old:
        put_files(table, [], old, {})
    return sum(file.record_count for file in old)


def _done_by(table: IcebergTable, attempt: str) -> int:
    for snapshot in table.snapshots():
        properties = _properties_of(snapshot)
        if properties.get(_REWRITE) == attempt:
            return int(properties[f"{_REWRITE}s"])
    return 0


def _expire(table: IcebergTable, before: datetime) -> int:
    newest = table.current_snapshot()
    if newest is None:
        return 0
    log = table.metadata.snapshot_log
    until = {each.snapshot_id: each.timestamp_ms for each in table.snapshots()}
    for entry, following in pairwise(log):
        until[entry.snapshot_id] = following.timestamp_ms  # a snapshot that was rolled back to is there twice
    kept = {each.snapshot_id for each in table.metadata.refs.values()}
    over = (before - timedelta(days=_kept_days(table) or 36_500)).timestamp() * 1000
    runs = (each for each in _runs_that_added(table) if each.timestamp_ms >= over)
    by_age = sorted(runs, key=lambda each: each.sequence_number or 0)
    kept |= {each.snapshot_id for each in by_age[-1:]}
    expired = sorted(id_ for id_, end in until.items() if end < before.timestamp() * 1000 and id_ not in kept)
    if expired:
        with table.transaction() as change:  # unlike PyIceberg's own: not where a roll-back made one of them the newest
            change._apply(  # noqa: SLF001
                (RemoveSnapshotsUpdate.model_validate({"snapshot-ids": expired}),),
                (AssertRefSnapshotId.model_validate({"ref": MAIN_BRANCH, "snapshot-id": newest.snapshot_id}),),
            )
    return len(expired)


def _runs_that_added(table: IcebergTable) -> list[IcebergSnapshot]:
    return [each for each in table.snapshots() if run_of(each) and _REWRITE not in _properties_of(each)]


def _properties_of(snapshot: IcebergSnapshot) -> Mapping[str, str]:
    return snapshot.summary.additional_properties if snapshot.summary else {}


def newest_run_of(table: IcebergTable) -> str:
    """Return the newest run of Convert that added files to a table, as far as its snapshots tell; "": none did."""
    runs = map(run_of, _runs_that_added(table)) if _has_hours(table) else ()  # those of others are no tables of hours
    return max((run_id for run_id in runs if is_of_convert(run_id)), default="")


def _has_hours(table: IcebergTable) -> bool:
    return [field.name for field in table.spec().fields] == list(PARTITION_KEYS)


def key_of(location: str) -> str:
    """Return the key of an object by its location."""
    return location.removeprefix("s3://").partition("/")[2]
