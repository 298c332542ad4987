"""Validation with local adapters: objects from memory or disk, a lake and a ledger in memory."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import IO

from sluice.contracts.load import load_registry
from sluice.event_files.ledger.model import ChunkRecord, SourceObject, SourceRecord
from sluice.event_files.validate.source_objects import SourceBody
from sluice.event_files.validate.validation import Limits, Outcome, Validation
from sluice.lake.object_store import ObjectStore
from tests.event_files.unit.convert.memory_ledger import MemoryLedger
from tests.support.memory_object_store import MemoryObjectStore

REGISTRY = load_registry()
LIMITS = Limits(chunk_bytes=16 << 20, max_file_bytes=256 << 20)  # as a stage has them
_ANNOUNCED_TOGETHER = 98

Read = Callable[[str], bytes]


@dataclass
class Chunks(MemoryObjectStore):
    """The lake's side of chunks; without a lake they are dropped."""

    lake: ObjectStore | None = None

    def write(self, key: str, body: bytes | IO[bytes]) -> str:
        return "" if self.lake is None else self.lake.write(key, body)


class Ledger(MemoryLedger):
    """The ledger as validation sees it, too."""

    def finished(self, _sources: Iterable[SourceObject]) -> frozenset[SourceObject]:
        return frozenset()

    def commit(self, chunks: Sequence[ChunkRecord], _records: Sequence[SourceRecord]) -> None:
        """Keep the chunks; reasons are read back as plain text."""
        for chunk in chunks:
            dirty = Counter({(table, str(reason)): count for (table, reason), count in chunk.counts.dirty.items()})
            self.pending.append(replace(chunk, counts=replace(chunk.counts, dirty=dirty)))

    def note(self, _record: SourceRecord) -> None:
        raise AssertionError


def validate(
    keys: Sequence[str],
    read: Read,
    lake: ObjectStore | None = None,
    stopwatch: Callable[[], float] = time.perf_counter,
) -> MemoryLedger:
    """Validate objects, as many at a time as one invocation gets; return the ledger with their chunks pending."""
    ledger, numbers = Ledger(), itertools.count()

    def read_source(source: SourceObject, _max_bytes: int) -> SourceBody:
        body = read(source.key)
        return SourceBody(len(body), body, source.etag, datetime.now(UTC))

    validation = Validation(
        registry=REGISTRY,
        read_source=read_source,
        chunks=Chunks(lake=lake),
        ledger=ledger,
        look_up_media=lambda _media: {},
        limits=LIMITS,
        new_chunk_id=lambda: f"20260101T00{next(numbers):08d}",
        stopwatch=stopwatch,
    )
    for start in range(0, len(keys), _ANNOUNCED_TOGETHER):
        sources = [SourceObject("bench", key, "etag") for key in keys[start : start + _ANNOUNCED_TOGETHER]]
        _assert_done(validation.run(sources, lambda: 900.0), sources)
    return ledger


def _assert_done(outcome: Outcome, sources: Sequence[SourceObject]) -> None:
    if outcome.failed or len(outcome.records) != len(sources):
        raise AssertionError(outcome.failed)
