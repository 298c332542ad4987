"""Partitions of Iceberg tables whose files are replaced as a whole: a day that is pulled again, say."""

from collections.abc import Mapping, Sequence

from pyiceberg.expressions import AlwaysTrue, And, EqualTo
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import FileScanTask, _parquet_files_to_data_files
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _OverwriteFiles

from sluice.lake.tables_iceberg import RUN, IcebergTables, run_of


class IcebergPartitions(IcebergTables):
    """The partitions of the tables of one database."""

    def replace_partition(self, table: str, run_id: str, values: Mapping[str, object], files: Sequence[str]) -> None:
        """Put files (keys of the bucket) of a run in the place of all files of a partition, in one snapshot.

        `values` are those of the partition's columns; without any, all of the table is replaced. Nothing changes where
        a snapshot of the run is there.

        Raises:
            CommitError: Others committed first each time, or Glue or S3 refused.
        """
        equal = [EqualTo(name, value) for name, value in values.items()]  # type: ignore[call-arg, arg-type]
        wanted = And(AlwaysTrue(), AlwaysTrue(), *equal)

        def put(current: IcebergTable) -> None:
            if run_id in map(run_of, current.snapshots()):
                return
            found = (each for each in current.scan(row_filter=wanted).plan_files() if isinstance(each, FileScanTask))
            replaced = [each.file for each in found]
            new = [f"s3://{self._bucket}/{key}" for key in files]
            put_files(current, new, replaced, {RUN: run_id})

        self._commit(table, put, f"run {run_id} could not replace files of table {table}")


class _Replacement(_OverwriteFiles):
    """An overwrite that lets go of manifests which name only files that earlier ones removed."""

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        def is_needed(each: ManifestFile) -> bool:
            is_own = each.added_snapshot_id in {None, self._snapshot_id}
            return is_own or each.has_added_files() or each.has_existing_files()

        return list(filter(is_needed, manifests))


def put_files(table: IcebergTable, new: Sequence[str], old: Sequence[DataFile], properties: Mapping[str, str]) -> None:
    """Put new files (locations) in the place of old ones, of none too, in one snapshot with these properties."""
    named = dict(properties)
    with table.transaction() as change:
        # Only what appends merges manifests: else their number would grow with every commit.
        append = change.update_snapshot(snapshot_properties=named).merge_append()
        replacement = _Replacement(Operation.OVERWRITE, change, table.io, snapshot_properties=named)
        with replacement if old else append as producer:
            for file in _parquet_files_to_data_files(change.table_metadata, list(new), table.io):
                producer.append_data_file(file)
            for file in old:
                producer.delete_data_file(file)
