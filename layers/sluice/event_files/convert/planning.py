"""What a run will do: one run at a time, and a crashed run's plan is finished before a new one is made."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import orjson

from sluice.event_files.convert.model import Arrived, Batch, BatchGroup, OpenRun, Plan, iso
from sluice.event_files.convert.ports import Executions, RunLedger
from sluice.event_files.ledger.model import ChunkRecord, Counts
from sluice.lake.keys import clean_key, dirty_key, plan_key
from sluice.lake.object_store import ByteRange, ObjectStore

T = TypeVar("T")

MAX_SPANS = 500
"""A group of batches travels as the input of one state: 500 spans are about 70 KB of its 256 KB."""


class Decision(StrEnum):
    """What a planned execution has to do."""

    PLANNED = "planned"
    BUSY = "busy"
    NOTHING_TO_DO = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class Planned:
    """The outcome of planning; `plan_key` is set when there is something to do."""

    decision: Decision
    run_id: str | None = None
    plan_key: str | None = None


class Planning:
    """Plans runs."""

    def __init__(self, ledger: RunLedger, files: ObjectStore, executions: Executions, batch_bytes: int) -> None:
        """Bind the adapters; batches and groups are cut at `batch_bytes` of lines."""
        self._ledger = ledger
        self._files = files
        self._executions = executions
        self._batch_bytes = batch_bytes

    def plan(self, execution: str, run_id: str, now: datetime, token: str) -> Planned:
        """Decide what `execution` does.

        Args:
            execution: Who asks; it keeps the run until it ends.
            run_id: Name of the run, should a new one begin; no other attempt may use it, nor a late twin of this one.
            now: Time of planning, UTC.
            token: Makes this attempt's plan file its own, so that a late twin of it overwrites nothing.
        """
        run = self._own(OpenRun(run_id, execution))
        if run is None:
            return Planned(Decision.BUSY)
        if run.plan_key is None:
            run = self._make_plan(run, now, token)
        if run is None:
            return Planned(Decision.NOTHING_TO_DO)
        if run.execution != execution or run.plan_key is None:  # others went on with it while this attempt was late
            return Planned(Decision.BUSY)
        return Planned(Decision.PLANNED, run.run_id, run.plan_key)

    def _own(self, wanted: OpenRun) -> OpenRun | None:
        """Return the run this execution owns: a new one, its own of an earlier attempt, or a crashed one's."""
        while not self._ledger.begin_run(wanted):
            run = self._ledger.open_run()
            if run is None:
                continue
            if run.execution == wanted.execution:
                return run
            if self._executions.is_running(run.execution):
                return None
            if self._ledger.take_over(run, wanted.execution):
                return replace(run, execution=wanted.execution)
        return wanted

    def _make_plan(self, run: OpenRun, now: datetime, token: str) -> OpenRun | None:
        chunks = self._ledger.pending_chunks()
        if not chunks:
            return None if self._ledger.drop_run(run) else self._ledger.open_run()
        plan = self._plan_of(run.run_id, now, chunks)
        key = plan_key(run.run_id, token)
        self._files.write(key, orjson.dumps(plan.to_json()))
        if self._ledger.publish_plan(run, key):
            return replace(run, plan_key=key)
        return self._ledger.open_run()  # a twin of this attempt was first: its plan holds

    def _plan_of(self, run_id: str, now: datetime, chunks: Sequence[ChunkRecord]) -> Plan:
        planned_at = iso(now)
        batches = tuple(
            Batch(run_id, planned_at, f"{number:05d}-{table or 'DIRTY'}", table, rows, spans)
            for number, (table, rows, spans) in enumerate(self._parts(chunks))
        )
        # An invocation each is what small batches would cost most.
        groups = tuple(BatchGroup(group) for group in self._cut(batches, lambda batch: batch.spans))
        chunk_ids = tuple(chunk.chunk_id for chunk in chunks)
        files = sum(chunk.files for chunk in chunks)
        return Plan(run_id, planned_at, files, chunk_ids, groups, _arrived(chunks))

    def _parts(self, chunks: Sequence[ChunkRecord]) -> Iterator[tuple[str | None, int, tuple[ByteRange, ...]]]:
        """Cut the rows of each table, then the dirty records, into batches: (table, rows, spans)."""
        rows_of: dict[str, list[tuple[int, ByteRange]]] = {}
        for chunk in chunks:
            for segment in chunk.segments:
                span = ByteRange(clean_key(chunk.chunk_id), segment.offset, segment.length)
                rows_of.setdefault(segment.table, []).append((segment.rows, span))
        dirty = [
            (0, ByteRange(dirty_key(chunk.chunk_id), 0, chunk.dirty_bytes)) for chunk in chunks if chunk.dirty_bytes
        ]
        everything: list[tuple[str | None, list[tuple[int, ByteRange]]]] = [*sorted(rows_of.items()), (None, dirty)]
        for table, parts in everything:
            for cut in self._cut(parts, lambda part: part[1:]):
                yield table, sum(rows for rows, _ in cut), tuple(span for _, span in cut)

    def _cut(self, items: Iterable[T], spans_of: Callable[[T], Sequence[ByteRange]]) -> Iterator[tuple[T, ...]]:
        """Cut items, in their order, before they become more than one invocation is to do."""
        piece: list[T] = []
        size = count = 0
        for item in items:
            spans = spans_of(item)
            length = sum(span.length for span in spans)
            if piece and (size + length > self._batch_bytes or count + len(spans) > MAX_SPANS):
                yield tuple(piece)
                piece, size, count = [], 0, 0
            piece.append(item)
            size += length
            count += len(spans)
        if piece:
            yield tuple(piece)


def _arrived(chunks: Iterable[ChunkRecord]) -> Arrived:
    size, counts = 0, Counts()
    for chunk in chunks:
        size += chunk.source_bytes
        counts.add(chunk.counts)
    return Arrived(size, counts.unrelated, counts.drift, counts.media_missing, counts.dirty_by_table())
