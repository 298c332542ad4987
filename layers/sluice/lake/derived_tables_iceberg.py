"""Tables that are made of something else in the lake: all rows of a partition are replaced by what that says now."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import pyarrow as pa
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask
from pyiceberg.table import Table as IcebergTable

from sluice.lake.columns_glue import file_schema
from sluice.lake.parquet import as_columns, to_parquet
from sluice.lake.partitions_iceberg import put_files
from sluice.lake.tables_iceberg import IcebergTables

Partition = tuple[int, ...]
"""Values of a table's partition columns; () of a table without partitions."""


class DerivedTables(IcebergTables):
    """Tables of one database whose rows are made of something else; each of their partitions is one file."""

    def rows(self, table: str) -> dict[Partition, int]:
        """Return how many rows each partition of a table has."""
        found = _files(self._load(table)).items()
        return {partition: sum(file.record_count for file in files) for partition, files in found}

    def publish(self, table: str, made: Callable[[], Mapping[Partition, pa.Table]]) -> None:
        """Let the rows of some partitions be what is `made` of their source now, in one snapshot.

        The source is read after the table was looked at, and again if others committed meanwhile: nothing older ever
        takes the place of something newer. Where the table has these rows already, nothing is written.

        Raises:
            CommitError: Others committed first each time, or Glue or S3 refused.
        """
        written: dict[str, str] = {}  # locations by digest: another attempt has the files of the one before

        def put(current: IcebergTable) -> None:
            schema = file_schema(current.schema().model_dump(by_alias=True, mode="json"))
            bodies = {each: to_parquet(as_columns(rows, schema)) for each, rows in made().items()}
            names = [field.name for field in current.spec().fields]
            there = _files(current)
            new, old = [], []
            for partition, body in bodies.items():
                digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
                if [_digest_of(each) for each in there[partition]] != [digest]:
                    if digest not in written:
                        written[digest] = _location(current, names, partition, digest)
                        with current.io.new_output(written[digest]).create() as output:
                            output.write(body)
                    new.append(written[digest])
                    old += there[partition]
            if new:
                put_files(current, new, old, {})

        self._commit(table, put, f"table {table} could not be brought up to date")


def _files(table: IcebergTable) -> dict[Partition, list[DataFile]]:
    """Return the files of each partition."""
    found = defaultdict(list)
    for task in table.scan().plan_files():
        if isinstance(task, FileScanTask):
            partition = task.file.partition
            found[tuple(partition[place] for place in range(len(partition)))].append(task.file)
    return found


def _location(table: IcebergTable, names: Iterable[str], partition: Partition, digest: str) -> str:
    """Return where a new file goes; no name is used twice, as a file that nothing refers to is deleted some day."""
    folders = "".join(f"{name}={value}/" for name, value in zip(names, partition, strict=True))
    return f"{table.location()}/{folders}rows-{digest}-{secrets.token_hex(4)}.parquet"


def _digest_of(file: DataFile) -> str:
    return file.file_path.rpartition("/")[2].removeprefix("rows-").partition("-")[0]
