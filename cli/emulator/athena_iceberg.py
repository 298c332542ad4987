"""Iceberg's metadata for the local cloud's Athena: a table's data files, and the rows of its partitions."""

import io
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ministack.services import s3
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.manifest import ManifestContent, ManifestFile
from pyiceberg.table import StaticTable


@lru_cache(maxsize=128)
def static_table(metadata: str) -> StaticTable:
    """Return what a file of metadata, which never changes, says of a table."""
    return StaticTable.from_metadata(metadata, {"py-io-impl": f"{__name__}.{StoredFiles.__name__}"})


@dataclass(frozen=True, slots=True)
class DataFiles:
    """The data files of a snapshot, and how many rows each partition has; the values are as Iceberg keeps them."""

    locations: list[str]
    rows: dict[tuple[Any, ...], int]


@lru_cache(maxsize=128)
def data_files(metadata: str, snapshot_id: int | None) -> DataFiles:
    """Return the data files of a snapshot, which never change; None is the one that the metadata have as current."""
    table = static_table(metadata)
    snapshot = table.snapshot_by_id(snapshot_id) if snapshot_id else table.current_snapshot()
    found = DataFiles([], Counter())
    for manifest in snapshot.manifests(table.io) if snapshot else ():
        for location, partition, rows in _live(manifest):
            found.locations.append(location)
            found.rows[partition] += rows
    return found


@lru_cache(maxsize=1024)
def _live(manifest: ManifestFile) -> list[tuple[str, tuple[Any, ...], int]]:
    """Return the files of a manifest, which never changes: their locations, partitions and rows."""
    files = [each.data_file for each in manifest.fetch_manifest_entry(StoredFiles())]
    if files and manifest.content is ManifestContent.DELETES:
        raise ValueError("NOT_SUPPORTED: the local cloud reads no tables with files of deleted rows")
    return [
        (each.file_path, tuple(each.partition[place] for place in range(len(each.partition))), each.record_count)
        for each in files
    ]


class StoredFiles(FileIO):
    """The objects that the emulator keeps, for PyIceberg to read."""

    def new_input(self, location: str) -> "_Stored":
        """Return an object to be read."""
        return _Stored(location)

    def new_output(self, location: str) -> OutputFile:
        """Refuse: the emulator's Athena only reads."""
        raise NotImplementedError(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Refuse: the emulator's Athena only reads."""
        raise NotImplementedError(location)


class _Stored(InputFile):
    def __len__(self) -> int:
        return len(stored(self.location))

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> Any:  # noqa: ANN401, ARG002  # PyIceberg's signature
        return io.BytesIO(stored(self.location))


def stored(location: str) -> bytes:
    """Return an object that the emulator keeps."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body: bytes | None = s3._get_object_data(bucket, key)
    if body is None:
        raise FileNotFoundError(f"ICEBERG_CANNOT_OPEN_SPLIT: {location} does not exist")
    return body
