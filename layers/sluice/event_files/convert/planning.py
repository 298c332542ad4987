"""Plan of a run: one run at a time, and a crashed run's plan is finished before a new one is made."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import chain, count
from operator import attrgetter

import orjson

from sluice.event_files.convert.model import (
    Arrived,
    Batch,
    BatchGroup,
    Plan,
    RunLedger,
    Span,
    plan_key,
)
from sluice.event_files.ledger.model import ChunkRecord, Counts, OpenRun, clean_key, dirty_key
from sluice.lake.batching import cut
from sluice.lake.lease import Executions, acquire
from sluice.lake.object_store import ObjectStore, iso

MAX_SPANS = 500
"""A group of batches travels as the input of one state: 500 spans are about 100 KB of its 256 KB."""
MAX_SUSPECT_LOTS = 40
"""Lots of chunks whose batches failed that one run tries again: it must end though all of them run out of time."""
MAX_HOURS = 10_000
"""Hours, beyond the usual ones, of the chunks of one run: each is a file, which the commit looks into once more."""
_USUAL_HOURS = 3  # of a table in a chunk; chunks share them
_SUSPECTS = 20  # chunks whose batch failed once that are tried together; those of one that failed again are tried alone


class Decision(StrEnum):
    """Next step of an execution."""

    PLANNED = "planned"
    BUSY = "busy"
    NOTHING_TO_DO = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class Planned:
    """The outcome of planning; `plan_key` is set when there is something to do."""

    decision: Decision
    run_id: str | None = None
    plan_key: str | None = None


@dataclass(frozen=True, slots=True)
class Planning:
    """Plans runs; batches and groups are cut at `batch_bytes` of lines, or of what is as much work."""

    ledger: RunLedger
    files: ObjectStore
    executions: Executions
    batch_bytes: int

    def plan(self, execution: str, run_id: str, now: datetime, token: str) -> Planned:
        """Decide what an execution does.

        Args:
            execution: ARN of the execution; it keeps the run until it ends.
            run_id: Name of the run, should a new one begin; no other attempt may use it, nor a late twin of this one.
            now: Time of planning, UTC.
            token: Makes this attempt's plan file its own, so that a late twin of it overwrites nothing.
        """
        wanted = OpenRun(run_id, execution)
        run = acquire(execution, lambda ended: self.ledger.claim_run(wanted, ended), self.executions)
        if run is None:
            return Planned(Decision.BUSY)
        if run.plan_key is None:
            run = self._make_plan(run, now, token)
        if run is None:
            return Planned(Decision.NOTHING_TO_DO)
        if run.execution != execution or run.plan_key is None:  # another execution took the run over meanwhile
            return Planned(Decision.BUSY)
        return Planned(Decision.PLANNED, run.run_id, run.plan_key)

    def _make_plan(self, run: OpenRun, now: datetime, token: str) -> OpenRun | None:
        chunks = self.ledger.pending_chunks()
        if not chunks:
            return None if self.ledger.drop_run(run) else self.ledger.open_run()
        key = plan_key(run.run_id, token)
        self.files.write(key, orjson.dumps(self._plan_of(run.run_id, now, _affordable(chunks))))
        if self.ledger.publish_plan(run, key):
            return replace(run, plan_key=key)
        return self.ledger.open_run()  # a twin of this attempt was first: its plan holds

    def _plan_of(self, run_id: str, now: datetime, chunks: Sequence[ChunkRecord]) -> Plan:
        planned_at, numbers = iso(now), count()
        lots = list(_lots(chunks, run_id))
        groups = [
            group
            for lot in lots
            for group in self._groups(
                Batch(run_id, planned_at, f"{next(numbers):05d}-{table or 'DIRTY'}", table, spans)
                for table, spans in self._parts(lot)
            )
        ]
        planned = [*chain.from_iterable(lots)]
        return Plan(
            run_id,
            planned_at,
            files=sum(chunk.files for chunk in planned),
            chunk_ids=tuple(chunk.chunk_id for chunk in planned),
            groups=tuple(groups),
            arrived=arrived_with(planned),
        )

    def _groups(self, batches: Iterable[Batch]) -> Iterator[BatchGroup]:
        """Put batches together: an invocation for each of them is most of what small ones would cost."""
        groups = cut(batches, attrgetter("work"), self.batch_bytes, MAX_SPANS, count=lambda batch: len(batch.spans))
        return map(BatchGroup, groups)

    def _parts(self, chunks: Sequence[ChunkRecord]) -> Iterator[tuple[str | None, tuple[Span, ...]]]:
        """Cut the rows of each table, then the dirty records, into batches."""
        rows_of: dict[str, list[Span]] = {}
        for chunk in chunks:
            for segment in chunk.segments:
                key, etag = clean_key(chunk.chunk_id), chunk.clean_etag
                span = Span(key, segment.offset, segment.length, etag, segment.rows, segment.columns, segment.hours)
                rows_of.setdefault(segment.table, []).append(span)
        dirty = [Span(dirty_key(chunk.chunk_id), 0, chunk.dirty_length) for chunk in chunks if chunk.dirty_length]
        everything: list[tuple[str | None, list[Span]]] = [*sorted(rows_of.items()), (None, dirty)]
        for table, spans in everything:
            for batch in cut(spans, attrgetter("work"), self.batch_bytes, MAX_SPANS):
                yield table, batch


def _affordable(chunks: Sequence[ChunkRecord]) -> list[ChunkRecord]:
    """Return the chunks that one run can commit, those that never failed first; the others wait for the next run.

    Those that were committed together stay together: of a file, all or nothing is left out, to be validated again.
    """
    commits: set[str] = set()
    hours = 0
    for chunk in sorted(chunks, key=lambda chunk: bool(chunk.failures)):
        hours += sum(max(0, segment.hours - _USUAL_HOURS) for segment in chunk.segments)
        if commits and hours > MAX_HOURS:
            break
        commits.add(chunk.commit)
    return [chunk for chunk in chunks if chunk.commit in commits]


def _lots(chunks: Sequence[ChunkRecord], run_id: str) -> Iterator[Sequence[ChunkRecord]]:
    """Yield the chunks that may share a group: those whose batches never failed; of the others, few or one file's.

    So a chunk that fails whatever it is converted with ends alone. Which of many are tried again differs by run.
    """
    yield [chunk for chunk in chunks if not chunk.failures]
    once = [chunk for chunk in chunks if chunk.failures == 1]
    suspects = [once[start : start + _SUSPECTS] for start in range(0, len(once), _SUSPECTS)]
    alone: dict[str, list[ChunkRecord]] = {}
    for chunk in chunks:
        if chunk.failures > 1:
            alone.setdefault(chunk.commit, []).append(chunk)
    suspects += alone.values()
    yield from sorted(suspects, key=lambda lot: sha256(f"{run_id}{lot[0].chunk_id}".encode()).digest())[
        :MAX_SUSPECT_LOTS
    ]


def arrived_with(chunks: Iterable[ChunkRecord]) -> Arrived:
    """Add up what came with chunks."""
    counts, size = Counts(), 0
    for chunk in chunks:
        counts.add(chunk.counts)
        size += chunk.source_bytes
    return Arrived(
        size,
        counts.unrelated,
        counts.unknown_members,
        counts.media_missing,
        counts.dirty_by_table(),
        counts.dirty_bytes,
        counts.dirty_files,
    )
