"""Made-up exports of a shipping system: its tables, and the files of a job, the same for the same arguments."""

import gzip
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from cli.http_server.content import Content, generated, stored
from sluice.vendor_exports.delivery.model import MASTER_SCHEMA

_START = datetime(2026, 1, 1, tzinfo=UTC)
_MINUTES = 60 * 24 * 365
_WORDS = ("Rotterdam", "Singapore", "Houston", "Santos", "VLSFO", "Wheat", "Iron ore", "Crude", "Laden", "Ballast")


def _text(rng: random.Random) -> str:
    return f"{rng.choice(_WORDS)} {rng.getrandbits(32):08x}"


_VALUES: dict[str, Callable[[random.Random], Any]] = {
    "int": lambda rng: rng.randrange(1, 1_000_000),
    "decimal": lambda rng: round(rng.uniform(0, 5_000_000), 2),
    "datetime": lambda rng: (_START + timedelta(minutes=rng.randrange(_MINUTES))).isoformat(),
    "nvarchar": _text,
    "bit": lambda rng: rng.random() < 0.5,  # noqa: PLR2004 - a coin
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, and the types of its columns by their names."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def rows(self, count: int, rng: random.Random) -> bytes:
        """Generate rows, as JSON lines."""
        makers = [(name, _VALUES[kind]) for name, kind in self.columns]
        return b"".join(orjson.dumps({name: make(rng) for name, make in makers}) + b"\n" for _ in range(count))

    def definition(self, version: str) -> dict[str, Any]:
        """Return the table's entry in the schema of all tables."""
        columns = [{"ColumnName": name, "DataType": kind} for name, kind in self.columns]
        return {"DataObjectName": self.name, "SchemaVersion": version, "Columns": columns}

    def statement(self) -> str:
        """Return the SQL that creates the table."""
        columns = ",\n".join(f"  [{name}] {kind}" for name, kind in self.columns)
        return f"CREATE TABLE [{self.name}] (\n{columns}\n);\n"


def table(name: str, **columns: str) -> Table:
    """Return a table with the columns that all tables have, and columns of its own."""
    common = {f"{name}Id": "int", "LastModified": "datetime", "IsDeleted": "bit"}
    return Table(name, tuple((common | columns).items()))


TABLES = (
    table("Voyage", VesselId="int", VoyageNo="int", CommenceDate="datetime", Status="nvarchar", Revenue="decimal"),
    table("Vessel", VesselCode="nvarchar", VesselName="nvarchar", Deadweight="decimal", Built="datetime"),
    table("CargoBook", VoyageId="int", Cargo="nvarchar", Quantity="decimal", Charterer="nvarchar"),
    table("Invoice", VoyageId="int", InvoiceNo="nvarchar", Amount="decimal", DueDate="datetime", IsPaid="bit"),
    table("InvoiceDetail", InvoiceId="int", Description="nvarchar", Amount="decimal"),
    table("PortCall", VoyageId="int", Port="nvarchar", Arrival="datetime", Departure="datetime"),
    table("BunkerLifting", PortCallId="int", Fuel="nvarchar", Quantity="decimal", Price="decimal"),
    table("Itinerary", VoyageId="int", Sequence="int", Port="nvarchar", Miles="decimal"),
    table("Estimate", VesselId="int", Result="decimal", Remark="nvarchar"),
    table("TimeCharter", VesselId="int", HireRate="decimal", Delivery="datetime", Redelivery="datetime"),
    table("Laytime", PortCallId="int", Allowed="decimal", Used="decimal", Demurrage="decimal"),
    table("Address", FullName="nvarchar", Country="nvarchar", IsActive="bit"),
)


BIG_TABLE = table("Document", Attachment="nvarchar")
"""The table of the big file, which is no JSON."""

_LARGE_EVERY = 100
_LARGE_TIMES = 100
_LARGE_ROWS = 1000
_MOST_DIGITS = 3  # of the number of rows in other partitions
_METADATA = 3
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Exports:
    """The content of the vendor's jobs.

    Attributes:
        files: Number of files, three of them metadata; every table has a file when there are enough.
        seed: Other seeds give other contents.
        big_bytes: Size of one more file, which is generated while it is read.
        tables: The tables that the schema promises.
        undelivered: Names of promised tables that have no file.
        unannounced: Tables that have a file but are not in the schema.
        version: Version of the schema.
        volume: Size of the partitions, 1 is usual.
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


def files_of(exports: Exports) -> dict[str, Content]:
    """Return the files by their names; they are generated once."""
    with _LOCK:
        return _files_of(exports)


@lru_cache(maxsize=8)
def _files_of(exports: Exports) -> dict[str, Content]:
    partitions = dict(_partitions(exports))
    files = _metadata(exports, partitions) | partitions
    if exports.big_bytes:
        files[f"{BIG_TABLE.name}_0.bin"] = generated(exports.big_bytes, exports.seed)
    return files


def _partitions(exports: Exports) -> Iterator[tuple[str, Content]]:
    count = exports.files - _METADATA
    for index in range(count):
        source = exports.tables[index % len(exports.tables)]
        if source.name not in exports.undelivered:
            yield _partition(exports, source, index)
    for index, source in enumerate(exports.unannounced, start=count):
        yield _partition(exports, source, index)


def _partition(exports: Exports, source: Table, index: int) -> tuple[str, Content]:
    rng = random.Random(f"{exports.seed}/{index}")  # noqa: S311 - a seed makes the files repeatable
    is_large = index % _LARGE_EVERY == _LARGE_EVERY // 2
    rows = _LARGE_ROWS if is_large else int(10 ** rng.uniform(0, _MOST_DIGITS))
    times = exports.volume * (_LARGE_TIMES if is_large else 1)
    lines = source.rows(max(1, int(rows * min(1, times))), rng)
    # Compressed files one after the other are a compressed file.
    body = gzip.compress(lines, compresslevel=1, mtime=0) * max(1, int(times))
    return f"{source.name}_{index}.json.gz", stored(body)


def _metadata(exports: Exports, partitions: dict[str, Content]) -> dict[str, Content]:
    schema = [source.definition(exports.version) for source in exports.promised]
    sizes = {name: content.size for name, content in partitions.items()}
    script = "\n".join(source.statement() for source in exports.promised)
    return {
        MASTER_SCHEMA: _document(schema),
        "_Statistics.json": _document({"SchemaVersion": exports.version, "Files": sizes}),
        "_CreateTables.sql": stored(script.encode()),
    }


def _document(document: object) -> Content:
    return stored(json.dumps(document, indent=1).encode())
