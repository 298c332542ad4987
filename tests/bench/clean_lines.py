"""Clean lines of one table, as validation leaves them in the lake, and the plan to convert them.

The events of a pool are written again and again, each time with texts, numbers and a time of its own: Parquet would
make nothing of what repeats itself.
"""

import itertools
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import orjson

from cli.contracts.generation import generate_event
from sluice.contracts.load import load_registry
from sluice.contracts.model import Column, Contract
from sluice.event_files.convert.committing import read_plan
from sluice.event_files.convert.model import Batch
from sluice.event_files.convert.planning import Planning
from sluice.event_files.ledger.model import ChunkRecord, Counts, Segment, clean_key
from sluice.event_files.validate.event_processor import EventProcessor, lineage_of
from sluice.lake.object_store import ByteRange, MissingObjectError
from tests.event_files.unit.convert.memory_ledger import MemoryLedger, RunningExecutions
from tests.support.memory_object_store import MemoryObjectStore

REGISTRY = load_registry()
BATCH_BYTES = 32 << 20

_POOL = 64
_EVENTS_PER_OBJECT = 30
_WORDS, _LETTERS, _TEXT_WORDS = 6_000, "etaoinshrdlucmfwypvbgk", 500_000
_ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-")
_HOURS = 3
_START = datetime(2022, 4, 9, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's clean lines: bytes in all and per object, by how much a row's lists grow."""

    table: str
    size: int
    object_bytes: int = 16 << 20
    growth: int = 1


@dataclass(frozen=True, slots=True)
class Work:
    """Batches of a plan, and the objects that hold their lines and nothing else."""

    contract: Contract
    batches: tuple[Batch, ...]
    folder: Path
    objects: tuple[Path, ...]

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.objects)

    def lines(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.objects)

    def write(self, path: Path) -> None:
        """Write it down for another process."""
        objects = [str(each) for each in self.objects]
        path.write_bytes(orjson.dumps([self.contract.table, self.batches, str(self.folder), objects]))


def read_work(path: Path) -> Work:
    """Read what another process wrote down."""
    table, batches, folder, objects = json.loads(path.read_text())
    return Work(REGISTRY.contract(table), tuple(map(Batch.from_json, batches)), Path(folder), tuple(map(Path, objects)))


def make_work(shape: Shape, folder: Path, seed: int = 1) -> Work:
    """Write a table's clean lines below `folder` and plan their conversion."""
    contract, files, chunks = REGISTRY.contract(shape.table), Folder(folder, folder), []
    for number, lines in enumerate(_cut(_lines(contract, shape, random.Random(seed)), shape.object_bytes)):
        chunk, body = f"20260131T{number:012}Z-0", b"".join(lines)
        files.write(clean_key(chunk), body)
        chunks.append(ChunkRecord(chunk, (Segment(shape.table, 0, len(body), len(lines), contract.columns_id),)))
    planned = Planning(MemoryLedger(chunks), files, RunningExecutions(), BATCH_BYTES).plan(
        "bench", "20260131T120000000000Z-r", datetime(2026, 1, 31, 12, tzinfo=UTC), "t"
    )
    objects = tuple(folder / clean_key(chunk.chunk_id) for chunk in chunks)
    return Work(contract, read_plan(files, planned.plan_key or "").batches, folder, objects)


def _cut(lines: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    part, length = [], 0
    for line in lines:
        part.append(line)
        length += len(line)
        if length >= size:
            yield part
            part, length = [], 0
    if part:
        yield part


def _lines(contract: Contract, shape: Shape, rng: random.Random) -> Iterator[bytes]:
    pool, text, size = _rows(contract, rng), _text(rng), 0
    for number in itertools.count():
        if size >= shape.size:
            return
        row = _anew(rng.choice(pool), text, rng, rng.randint(1, 2 * shape.growth - 1))
        at = _START + timedelta(seconds=rng.randrange(3600 * _HOURS))
        row["time"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")  # of every contract its date_time
        row["_source_key"] = f"2022/04/09/22/delivery-1-2022-04-09-22-{number // _EVENTS_PER_OBJECT}"
        row["_source_offset"] = number
        line = orjson.dumps(row) + b"\n"
        size += len(line)
        yield line


def _rows(contract: Contract, rng: random.Random) -> list[dict[str, Any]]:
    processor, rows = EventProcessor(contract, lambda _lib, _id: None), []
    for _ in range(_POOL):
        event = generate_event(contract, rng)
        line = processor.process(event, memoryview(orjson.dumps(event)), lineage_of("key") % 0, Counts())
        if not isinstance(line, bytes):
            raise AssertionError(f"{contract.table}: the corpus does not agree with the contract")
        rows.append(orjson.loads(line))
    return rows


def _text(rng: random.Random) -> str:
    """Words that are as frequent, and as long, as words are."""
    words = ["".join(rng.choices(_LETTERS, k=max(2, int(rng.lognormvariate(1.6, 0.4))))) for _ in range(_WORDS)]
    return " ".join(rng.choices(words, [1 / (rank + 3) for rank in range(_WORDS)], k=_TEXT_WORDS))


def _anew(value: Any, text: str, rng: random.Random, growth: int) -> Any:
    if isinstance(value, dict):
        return {name: _anew(member, text, rng, growth) for name, member in value.items()}
    if isinstance(value, list):
        return [_anew(item, text, rng, 1) for item in value * growth]
    if isinstance(value, float):
        return rng.random()
    if isinstance(value, str) and _ID.match(value):
        return str(UUID(int=rng.getrandbits(128))) + value[36:]
    if isinstance(value, str) and value.count(" ") > 1:
        start = rng.randrange(len(text) - len(value))
        return text[start : start + len(value)]
    return value


def row_of(event: Any, columns: Iterable[Column]) -> dict[str, Any]:
    """Return the columns of an event."""

    def member(value: Any, name: str) -> Any:
        return value.get(name) if isinstance(value, dict) else None

    return {column.name: reduce(member, column.path, event) for column in columns}


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

    def write(self, key: str, body: bytes | IO[bytes]) -> str:
        path = self._target / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.read())
        return ""  # files have no ETags

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        """Write a file unless it is there, which is all that is asked for here."""
        assert etag is None
        if self.exists(key):
            return False
        self.write(key, body)
        return True

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self._target / key).unlink(missing_ok=True)

    def _read_range(self, part: ByteRange) -> bytes:
        with (self._source / part.key).open("rb") as file:
            file.seek(part.offset)
            return file.read(part.length)
