"""The vendor's `_MasterTableSchema.json`, which is untrusted: tables and their fingerprints.

The histories keep it hour by hour: a schema beyond the limits is refused, whole. The vendor's have at most 300 tables,
one for each file of a job, of some 20 characters and 50 columns each.
"""

import gzip
import hashlib
import io
import zlib
from collections.abc import Collection, Iterator
from functools import lru_cache

import orjson

from sluice.http.documents import loads

MAX_SCHEMA_BYTES = 16 << 20
"""A larger file, packed or unpacked, is not read."""

MAX_TABLES = 2_000
"""Tables of a schema, and of the files of a job."""
MAX_NAMES_BYTES = 64 << 10
"""Bytes of the names of all tables of a schema, or of a job."""
_MAX_COLUMNS = 5_000  # of a table
_MAX_VALUES = 1_000_000  # of the whole document
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FINGERPRINT = 12  # hex digits
_UNREADABLE = (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError)

Schema = tuple[tuple[str, str], ...]
"""Table and fingerprint of its entry, sorted."""


class SchemaRefusedError(Exception):
    """A schema is beyond the limits; the message gives the figures."""


def read_schema(body: bytes) -> Schema | None:
    """Return tables and fingerprints; None if the body is not a schema, beyond the limits, or without a table."""
    try:
        return checked_schema(body)
    except SchemaRefusedError:
        return None


@lru_cache(maxsize=4)  # from one hour to the next it is the same file as a rule
def checked_schema(body: bytes) -> Schema | None:
    """Return tables and fingerprints; None if the body is not a schema, or without a table.

    Raises:
        SchemaRefusedError: It is beyond the limits.
    """
    try:
        schema = tuple(sorted(dict(sorted(_entries(_unpacked(body)))).items()))
    except _UNREADABLE:
        return None
    assert_within_limits([table for table, _ in schema])
    return schema or None


def assert_within_limits(tables: Collection[str]) -> None:
    """Raise SchemaRefusedError where names of tables are more, or longer, than the histories keep."""
    if len(tables) > MAX_TABLES:
        raise SchemaRefusedError(f"it has {len(tables)} tables, more than the {MAX_TABLES} that are taken")
    size = sum(len(table.encode()) for table in tables)
    if size > MAX_NAMES_BYTES:
        raise SchemaRefusedError(f"the names of its tables have {size} bytes, more than {MAX_NAMES_BYTES}")


def assert_size(size: int) -> None:
    """Raise SchemaRefusedError where a file is too large to be read."""
    if size > MAX_SCHEMA_BYTES:
        raise SchemaRefusedError(f"it has more than {MAX_SCHEMA_BYTES >> 20} MB")


def _unpacked(body: bytes) -> bytes:
    if body.startswith(_GZIP):
        with gzip.open(io.BytesIO(body)) as packed:
            body = packed.read(MAX_SCHEMA_BYTES + 1)
    assert_size(len(body))
    return body.removeprefix(_BYTE_ORDER_MARK)


def _entries(body: bytes) -> Iterator[tuple[str, str]]:
    for entry in loads(body, _MAX_VALUES, SchemaRefusedError):
        columns = max(map(len, filter(lambda value: isinstance(value, list), entry.values())), default=0)
        if columns > _MAX_COLUMNS:
            raise SchemaRefusedError(f"one of its tables has {columns} columns, more than {_MAX_COLUMNS}")
        table = entry["DataObjectName"]
        if not (isinstance(table, str) and table):
            raise TypeError("a table without name")
        yield table, _fingerprint(entry)


def _fingerprint(entry: object) -> str:
    canonical = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()[:_FINGERPRINT]
