"""The vendor's `_MasterTableSchema.json`, which is untrusted: tables and their fingerprints."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from functools import lru_cache

import orjson

MAX_SCHEMA_BYTES = 16 << 20
"""A larger file, packed or unpacked, is not read."""

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FINGERPRINT = 12  # hex digits
_UNREADABLE = (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError)

Schema = tuple[tuple[str, str], ...]
"""Table and fingerprint of its entry, sorted."""


@lru_cache(maxsize=4)  # from one hour to the next it is the same file as a rule
def read_schema(body: bytes) -> Schema | None:
    """Return tables and fingerprints; None if the body is not a schema, too large, or without a table."""
    try:
        return tuple(sorted(dict(sorted(_entries(_unpacked(body)))).items())) or None
    except _UNREADABLE:
        return None


def _unpacked(body: bytes) -> bytes:
    if body.startswith(_GZIP):
        with gzip.open(io.BytesIO(body)) as packed:
            body = packed.read(MAX_SCHEMA_BYTES + 1)
    if len(body) > MAX_SCHEMA_BYTES:
        raise ValueError("too large")
    return body.removeprefix(_BYTE_ORDER_MARK)


def _entries(body: bytes) -> Iterator[tuple[str, str]]:
    for entry in orjson.loads(body):
        table = entry["DataObjectName"]
        if not (isinstance(table, str) and table):
            raise TypeError("a table without name")
        yield table, _fingerprint(entry)


def _fingerprint(entry: object) -> str:
    canonical = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()[:_FINGERPRINT]
