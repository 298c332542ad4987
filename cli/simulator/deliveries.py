"""Made-up exports: what a job delivers, the same for the same arguments."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cli.simulator.content import Content, Generated, Stored
from cli.simulator.tables import TABLES, Table, table
from sluice.vendor_exports.delivery.slots import MASTER_SCHEMA

BIG_TABLE = table("Document", Attachment="nvarchar")
"""The table of the big file, which is no JSON."""

_LARGE_EVERY = 100
_LARGE_TIMES = 100
_LARGE_ROWS = 1000
_MOST_DIGITS = 3  # of the number of rows in other partitions
_METADATA = 3
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class VendorFile:
    """A file of an export."""

    name: str
    content: Content


@dataclass(frozen=True, slots=True)
class Exports:
    """What the vendor's jobs deliver.

    Attributes:
        files: How many files, three of them about the others; every table has one when there are enough.
        seed: Other seeds give other contents.
        big_bytes: Size of one file more, which is made while it is read.
        tables: The tables the schema promises.
        undelivered: Names of tables the schema promises in vain.
        unannounced: Tables that come though the schema does not promise them.
        version: The schema's.
        volume: How much the partitions hold, against the usual.
    """

    files: int = 120
    seed: int = 1
    big_bytes: int = 0
    tables: tuple[Table, ...] = TABLES
    undelivered: frozenset[str] = frozenset()
    unannounced: tuple[Table, ...] = ()
    version: str = "2026.1"
    volume: float = 1.0

    @property
    def promised(self) -> tuple[Table, ...]:
        """The tables in the schema: no more than there are partitions."""
        big = (BIG_TABLE,) if self.big_bytes else ()
        return (*self.tables[: self.files - _METADATA], *big)


def files_of(exports: Exports) -> dict[str, VendorFile]:
    """The files by their names; made once."""
    with _LOCK:
        return _files_of(exports)


@lru_cache(maxsize=8)
def _files_of(exports: Exports) -> dict[str, VendorFile]:
    partitions = list(_partitions(exports))
    files = [*_metadata(exports, partitions), *partitions, *_big(exports)]
    return {file.name: file for file in files}


def _partitions(exports: Exports) -> Iterator[VendorFile]:
    count = exports.files - _METADATA
    for index in range(count):
        source = exports.tables[index % len(exports.tables)]
        if source.name not in exports.undelivered:
            yield _partition(exports, source, index)
    for index, source in enumerate(exports.unannounced, start=count):
        yield _partition(exports, source, index)


def _partition(exports: Exports, source: Table, index: int) -> VendorFile:
    rng = random.Random(f"{exports.seed}/{index}")  # noqa: S311 - a seed makes the files repeatable
    is_large = index % _LARGE_EVERY == _LARGE_EVERY // 2
    rows = _LARGE_ROWS if is_large else int(10 ** rng.uniform(0, _MOST_DIGITS))
    times = exports.volume * (_LARGE_TIMES if is_large else 1)
    lines = source.rows(max(1, int(rows * min(1, times))), rng)
    # Compressed files one after the other are a compressed file.
    body = gzip.compress(lines, compresslevel=1, mtime=0) * max(1, int(times))
    return VendorFile(f"{source.name}_{index}.json.gz", Stored(body))


def _metadata(exports: Exports, partitions: list[VendorFile]) -> Iterator[VendorFile]:
    schema = [source.definition(exports.version) for source in exports.promised]
    statistics = {"SchemaVersion": exports.version, "Files": {file.name: file.content.size for file in partitions}}
    yield VendorFile(MASTER_SCHEMA, _document(schema))
    yield VendorFile("_Statistics.json", _document(statistics))
    script = "\n".join(source.statement() for source in exports.promised)
    yield VendorFile("_CreateTables.sql", Stored(script.encode()))


def _document(document: object) -> Stored:
    return Stored(json.dumps(document, indent=1).encode())


def _big(exports: Exports) -> Iterator[VendorFile]:
    if exports.big_bytes:
        yield VendorFile(f"{BIG_TABLE.name}_0.bin", Generated(exports.big_bytes, exports.seed))
