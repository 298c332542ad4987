"""A folder in the place of the lake bucket."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from sluice.lake.object_store import ByteRange, MissingObjectError
from tests.support.memory_object_store import MemoryObjectStore


class Folder(MemoryObjectStore):
    """Objects as files: read from one folder, written to another."""

    def __init__(self, source: Path, target: Path) -> None:
        super().__init__()
        self._source = source
        self._target = target

    def read(self, key: str) -> bytes:
        try:
            return (self._source / key).read_bytes()
        except FileNotFoundError:
            raise MissingObjectError(key) from None

    def read_ranges(self, ranges: Sequence[ByteRange]) -> bytes:
        return b"".join(map(self._read_range, ranges))

    def exists(self, key: str) -> bool:
        return (self._target / key).exists()

    def write(self, key: str, body: bytes | IO[bytes]) -> None:
        path = self._target / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.read())

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self._target / key).unlink(missing_ok=True)

    def _read_range(self, part: ByteRange) -> bytes:
        with (self._source / part.key).open("rb") as file:
            file.seek(part.offset)
            return file.read(part.length)
