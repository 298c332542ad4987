"""The lake bucket as the domain sees it: keys that every pipeline uses, ids and times in them, and its objects.

The protocol `ObjectStore` is kept by `S3ObjectStore` and by the tests' store in memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Protocol

TABLES_PREFIX = "data/clean_parquet/"
RUNS_PREFIX = "runs/"


class MissingObjectError(Exception):
    """An object that should be in the bucket is not there, or not all of it."""


class ObjectStoreError(Exception):
    """S3 refused or failed a request; the message names the object, the action and the remedy."""


class UnreadableObjectError(ObjectStoreError):
    """S3 does not give an object out, however often it is asked: access is denied, its key is off, it is archived."""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as a listing shows it: `size` in bytes, `modified` in UTC."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it stood when it was read."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes of an object: `length` of them from `offset` on, and only while it has the `etag`, if that is given."""

    key: str
    offset: int
    length: int
    etag: str = ""


class ObjectStore(Protocol):
    """Objects of one bucket. Every call may raise ObjectStoreError; those that read, UnreadableObjectError."""

    def read(self, key: str) -> bytes:
        """Return an object's bytes. Raises MissingObjectError."""

    def read_all(self, keys: Sequence[str]) -> list[bytes]:
        """Return the bytes of many objects, in order. Raises MissingObjectError."""

    def read_ranges(self, ranges: Sequence[ByteRange]) -> bytes:
        """Return the bytes of all ranges, joined in order.

        Raises MissingObjectError when one is gone, cut short or replaced.
        """

    def find(self, key: str) -> StoredObject | None:
        """Return an object; None when there is none."""

    def find_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        """Return the bytes of many objects, in order; None for one that is missing or larger than `max_bytes`."""

    def exists(self, key: str) -> bool:
        """Return whether there is an object."""

    def write(self, key: str, body: bytes | IO[bytes]) -> str:
        """Write an object whole, replacing an older one; return its ETag."""

    def create(self, key: str, body: bytes) -> str:
        """Write an object whole that is not there yet; return its ETag."""

    def write_all(self, bodies: Mapping[str, bytes]) -> None:
        """Write many objects, in any order, each as `write` does."""

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        """Write an object if it still has `etag` (None: if there is none); return whether it was written."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; missing ones do not matter."""

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Yield the objects under a prefix in order of keys, a page at a time."""

    def list_all(self, prefixes: Iterable[str]) -> Iterator[ListedObject]:
        """Yield the objects under any of the prefixes, prefix by prefix."""


def timestamped_id(now: datetime, token: str) -> str:
    """Return an id that grows with time and begins with its day, e.g. ``20260131T235959123456Z-1f2e3d4c``."""
    return f"{now:%Y%m%dT%H%M%S%fZ}-{token}"


def time_of_id(id_: str) -> datetime:
    """Return the time (UTC) that an id of `timestamped_id` begins with. Raises ValueError."""
    return datetime.strptime(id_.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)


def iso(time: datetime) -> str:
    """Write a time in UTC as ISO 8601, with milliseconds."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def commit_key(run_id: str) -> str:
    """Return the key of the summary that a run's commit leaves, for the run's record."""
    return f"{RUNS_PREFIX}{run_id}/commit.json"


def table_prefix(table: str) -> str:
    """Return the prefix of all files of a table."""
    return f"{TABLES_PREFIX}{table}.parquet/"


def parquet_key(table: str, hour: str, name: str) -> str:
    """Return the key of a Parquet file; `hour` is ``YYYY-MM-DDTHH``, or a day; partition values are not padded."""
    year, month, day = hour[:10].split("-")
    partition = f"year={int(year)}/month={int(month)}/day={int(day)}"
    if hour[10:]:
        partition += f"/hour={int(hour[11:13])}"
    return f"{table_prefix(table)}{partition}/{name}.parquet"
