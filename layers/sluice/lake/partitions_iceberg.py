"""Partitions of Iceberg tables whose files are replaced as a whole: a day that is pulled again, say."""

from collections.abc import Mapping, Sequence

from pyiceberg.expressions import AlwaysTrue, And, EqualTo
from pyiceberg.table import FileScanTask, _parquet_files_to_data_files
from pyiceberg.table import Table as IcebergTable

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
            properties = {RUN: run_id}
            with (
                current.transaction() as change,
                change.update_snapshot(snapshot_properties=properties).overwrite() as overwrite,
            ):
                for file in _parquet_files_to_data_files(change.table_metadata, new, current.io):
                    overwrite.append_data_file(file)
                for file in replaced:
                    overwrite.delete_data_file(file)

        self._commit(table, put, f"run {run_id} could not replace files of table {table}")
