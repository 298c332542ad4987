"""A bucket and tables kept in memory; the bucket's ETags tell contents apart, as those of S3 do."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO

from sluice.lake.object_store import ByteRange, ListedObject, MissingObjectError, StoredObject

_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def nothing() -> None:
    """Happen between two calls."""


@dataclass
class MemoryObjectStore:
    """Objects by key; `between` is called before every call, `written` are the keys as they were
    written, `modified` times of last change, where a test says one."""

    objects: dict[str, bytes] = field(default_factory=dict)
    between: Callable[[], None] = nothing
    written: list[str] = field(default_factory=list)
    modified: dict[str, datetime] = field(default_factory=dict)

    def read(self, key: str) -> bytes:
        self.between()
        try:
            return self.objects[key]
        except KeyError:
            raise MissingObjectError(key) from None

    def read_all(self, keys: Sequence[str]) -> list[bytes]:
        return [self.read(key) for key in keys]

    def read_ranges(self, ranges: Sequence[ByteRange]) -> bytes:
        return b"".join(map(self._read_range, ranges))

    def find(self, key: str) -> StoredObject | None:
        self.between()
        body = self.objects.get(key)
        return None if body is None else StoredObject(body, _etag(body))

    def find_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        self.between()
        bodies = [self.objects.get(key) for key in keys]
        return [None if body is None or len(body) > max_bytes else body for body in bodies]

    def exists(self, key: str) -> bool:
        return key in self.objects

    def write(self, key: str, body: bytes | IO[bytes]) -> str:
        self.between()
        self._put(key, body if isinstance(body, bytes) else body.read())
        return _etag(self.objects[key])

    def create(self, key: str, body: bytes) -> str:
        assert key not in self.objects, f"{key} is there already"
        return self.write(key, body)

    def write_all(self, bodies: Mapping[str, bytes]) -> None:
        for key, body in bodies.items():
            self.write(key, body)

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        stored = self.find(key)
        if (stored and stored.etag) != etag:
            return False
        self._put(key, body)
        return True

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys under a prefix, in order."""
        return sorted(key for key in self.objects if key.startswith(prefix))

    def list(self, prefix: str) -> Iterator[ListedObject]:
        self.between()
        for key, body in sorted(self.objects.items()):
            if key.startswith(prefix):
                yield ListedObject(key, len(body), self.modified.get(key, _LONG_AGO))

    def list_all(self, prefixes: Iterable[str]) -> Iterator[ListedObject]:
        for prefix in prefixes:
            yield from self.list(prefix)

    def _read_range(self, part: ByteRange) -> bytes:
        body = self.read(part.key)
        if part.etag not in {"", _etag(body)}:
            raise MissingObjectError(f"{part.key} was replaced")
        return body[part.offset : part.offset + part.length]

    def _put(self, key: str, body: bytes) -> None:
        self.objects[key] = body
        self.written.append(key)


def _etag(body: bytes) -> str:
    return f"{zlib.crc32(body):08x}-{len(body)}"  # not MD5: that would be half of the time that the bench measures


class MemoryTables:
    """Files of tables by run, as their snapshots name them."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Sequence[str]]] = defaultdict(dict)

    def id_and_runs(self, table: str) -> tuple[str, set[str]]:
        """Return the runs of a table, which is never dropped."""
        return "", set(self.files[table])

    def append(self, table: str, run_id: str, files: Sequence[str], table_id: str = "") -> None:  # noqa: ARG002
        """Make all files of a run rows of a table, unless they are."""
        self.files[table].setdefault(run_id, tuple(files))
