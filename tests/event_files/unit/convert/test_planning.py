"""A plan covers every pending row exactly once, in batches and groups of bounded size."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.event_files.convert.committing import read_plan
from sluice.event_files.convert.model import Arrived, Batch, BatchGroup, Plan, Span
from sluice.event_files.convert.planning import MAX_HOURS, MAX_SPANS, MAX_SUSPECT_LOTS, Decision, Planned, Planning
from sluice.event_files.ledger.model import HOUR_WORK, ChunkRecord, Counts, OpenRun, Segment, clean_key, dirty_key
from tests.event_files.unit.convert.memory_ledger import MemoryLedger, RunningExecutions
from tests.support.memory_object_store import MemoryObjectStore

NOW = datetime(2026, 1, 31, 12, 30, 15, 123456, tzinfo=UTC)
BATCH_BYTES = 100


def plan_with(
    ledger: MemoryLedger, files: MemoryObjectStore, run_id: str = "run", batch_bytes: int = BATCH_BYTES
) -> Planned:
    return Planning(ledger, files, RunningExecutions(), batch_bytes).plan("me", run_id, NOW, "token")


def plan_of(*pending: ChunkRecord, run_id: str = "run", batch_bytes: int = BATCH_BYTES) -> Plan:
    """The plan of a run over pending chunks."""
    files = MemoryObjectStore()
    planned = plan_with(MemoryLedger(list(pending)), files, run_id, batch_bytes)
    assert planned == Planned(Decision.PLANNED, run_id, planned.plan_key)
    return read_plan(files, planned.plan_key or "")


def chunk(number: int, segments: list[tuple[str, int, int]], dirty_length: int, files: int) -> ChunkRecord:
    """A chunk as validation leaves it: its segments follow one another."""
    offset, placed = 0, []
    for table, length, rows in segments:
        placed.append(Segment(table, offset, length, rows))
        offset += length
    return ChunkRecord(f"20260131T0000000000{number:02d}Z-c", tuple(placed), dirty_length, files)


segments = st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 120), st.integers(1, 9)), max_size=5)
chunks = st.lists(st.tuples(segments, st.sampled_from([0, 1, 60, 150]), st.integers(0, 9)), min_size=1, max_size=8).map(
    lambda parts: [chunk(number, *part) for number, part in enumerate(parts)]
)


@given(chunks)
def test_a_plan_covers_everything_once(pending: list[ChunkRecord]) -> None:
    plan = plan_of(*pending)
    assert (plan.run_id, plan.planned_at) == ("run", "2026-01-31T12:30:15.123Z")
    assert plan.chunk_ids == tuple(each.chunk_id for each in pending)
    assert plan.files == sum(each.files for each in pending)
    for table in ("A", "B"):
        wanted = [
            Span(clean_key(each.chunk_id), segment.offset, segment.length, rows=segment.rows)
            for each in pending
            for segment in each.segments
            if segment.table == table
        ]
        assert [span for batch in plan.batches if batch.table == table for span in batch.spans] == wanted
        assert plan.rows()[table] == sum(span.rows for span in wanted)
    dirty = [Span(dirty_key(each.chunk_id), 0, each.dirty_length) for each in pending if each.dirty_length]
    assert [span for batch in plan.batches if batch.table is None for span in batch.spans] == dirty
    assert_cut_well(plan.batches)
    assert_grouped_well(plan.groups)


def assert_cut_well(batches: tuple[Batch, ...]) -> None:
    """None is larger than allowed, but for a single span that is; none could have taken the next one's first span."""
    assert len({batch.batch_id for batch in batches}) == len(batches)
    for batch in batches:
        assert 0 < len(batch.spans) <= MAX_SPANS
        assert size(batch) <= BATCH_BYTES or len(batch.spans) == 1
    for batch, following in pairwise(batches):
        full = len(batch.spans) == MAX_SPANS or size(batch) + following.spans[0].length > BATCH_BYTES
        assert full or batch.table != following.table


def assert_grouped_well(groups: tuple[BatchGroup, ...]) -> None:
    """None is more than a batch may be, but for a single batch that is; none could have taken the next one's first."""
    for group in groups:
        assert group.batches
        assert size(*group.batches) <= BATCH_BYTES or len(group.batches) == 1
    for group, following in pairwise(groups):
        assert size(*group.batches, following.batches[0]) > BATCH_BYTES


def size(*batches: Batch) -> int:
    return sum(span.length for batch in batches for span in batch.spans)


def test_small_batches_are_one_group_and_full_ones_a_group_each() -> None:
    small = chunk(0, [("A", 40, 1), ("B", 30, 1), ("C", 20, 1)], 10, 1)
    large = chunk(1, [("D", 100, 1), ("E", 100, 1), ("F", 1, 1)], 0, 1)
    assert grouped(replace(small, dirty_length=0), large) == [["A", "B", "C"], ["D"], ["E"], ["F"]]
    assert grouped(small) == [["A", "B", "C", None]]


def grouped(*pending: ChunkRecord) -> list[list[str | None]]:
    return [[batch.table for batch in group.batches] for group in plan_of(*pending).groups]


def test_a_plan_says_what_arrived() -> None:
    first = Counts(events=9, unrelated=1, unknown_members=2, media_missing=3)
    first.dirty.update({("A", "RULE_BROKEN"): 2, ("-", "FRAGMENT"): 1})
    second = Counts(events=5, unrelated=10, unknown_members=20, media_missing=30)
    second.dirty.update({("A", "RULE_BROKEN"): 1, ("A", "TOO_LARGE"): 4})
    pending = chunk(0, [("A", 10, 1)], 0, 1)
    plan = plan_of(replace(pending, counts=first, source_bytes=1000), replace(pending, counts=second, source_bytes=100))
    dirty = {"A": {"RULE_BROKEN": 3, "TOO_LARGE": 4}, "-": {"FRAGMENT": 1}}
    assert plan.arrived == Arrived(bytes=1100, unrelated=11, unknown_members=22, media_missing=33, dirty=dirty)


def test_many_small_segments_are_cut_by_number() -> None:
    pending = [ChunkRecord(f"{number:020d}", (Segment("A", 0, 0, 1),)) for number in range(2 * MAX_SPANS + 1)]
    plan = plan_of(*pending)
    assert [(len(batch.spans), batch.rows) for batch in plan.batches] == [(500, 500), (500, 500), (1, 1)]
    assert max(len(orjson.dumps(batch)) for batch in plan.batches) < 128 << 10


def test_many_hours_are_cut_by_their_work() -> None:
    """Each hour of a batch is a file of its own, however few bytes it has."""
    pending = [ChunkRecord(f"{number:020d}", (Segment("A", 0, 0, 500, "", hours=500),)) for number in range(9)]
    groups = plan_of(*pending, batch_bytes=2000 * HOUR_WORK).groups
    assert [sum(span.hours for batch in group.batches for span in batch.spans) for group in groups] == [2000, 2000, 500]


def test_chunks_whose_batches_failed_share_groups_with_few_others_and_then_with_none() -> None:
    def failed(number: int, failures: int, commit_id: str = "") -> ChunkRecord:
        return replace(chunk(number, [("A", 1, 1)], 1, 1), failures=failures, commit_id=commit_id)

    once = [failed(number, 1) for number in range(21)]
    twice = [failed(100, 2), failed(101, 3, "file"), failed(102, 3, "file")]
    groups = plan_of(*once, *twice, failed(200, 0), failed(201, 0)).groups
    found = sorted(len(group.chunk_ids) for group in groups)
    assert found == sorted([2, 20, 1, 1, 2])
    many = [failed(number, 2) for number in range(2 * MAX_SUSPECT_LOTS)]
    tried = [{each for group in plan_of(*many, run_id=run).groups for each in group.chunk_ids} for run in ("1", "2")]
    assert [len(each) for each in tried] == [MAX_SUSPECT_LOTS] * 2
    assert tried[0] != tried[1], "it is not always the same that are tried again"


class TakenOver(MemoryLedger):
    """While this attempt was late, another execution, or a later attempt of this one, went on."""

    successor: OpenRun

    def publish_plan(self, run: OpenRun, plan_key: str) -> bool:
        self.run = self.successor
        return super().publish_plan(run, plan_key)

    def drop_run(self, run: OpenRun) -> bool:
        self.run = self.successor
        return super().drop_run(run)


@pytest.mark.parametrize("pending", [[chunk(0, [("A", 10, 1)], 0, 1)], []], ids=["a chunk waits", "none waits"])
@pytest.mark.parametrize(
    "successor", [OpenRun("run", "other", "its-plan"), OpenRun("later-run", "me"), OpenRun("run", "other")]
)
def test_a_late_attempt_leaves_the_run_to_others(pending: list[ChunkRecord], successor: OpenRun) -> None:
    ledger = TakenOver(pending)
    ledger.successor = successor
    assert plan_with(ledger, MemoryObjectStore()) == Planned(Decision.BUSY)
    assert ledger.run == successor


def test_a_run_has_no_more_hours_than_it_can_commit() -> None:
    """Each hour is a file; those of usual chunks are the same ones. What failed before waits for the others."""
    failed = ChunkRecord("1", (Segment("A", 0, 0, 9_000, hours=9_000),), failures=1)
    large = [ChunkRecord(f"2{number}", (Segment("A", 0, 0, 4_000, hours=4_000),)) for number in range(4)]
    usual = [ChunkRecord(f"3{number:04}", (Segment("A", 0, 0, 3, hours=3),)) for number in range(MAX_HOURS)]
    assert plan_of(failed, *large).chunk_ids == ("20", "21")
    assert plan_of(failed, *large[2:]).chunk_ids == ("22", "23")
    assert set(plan_of(failed, *usual[:500]).chunk_ids) == {"1", *(each.chunk_id for each in usual[:500])}
    assert len(plan_of(*usual, batch_bytes=1 << 30).chunk_ids) == len(usual)
    assert plan_of(ChunkRecord("4", (Segment("A", 0, 0, 43_000, hours=43_000),))).chunk_ids == ("4",)
    of_one_file = [replace(each, commit_id="23") for each in large]
    assert plan_of(*of_one_file, failed).chunk_ids == ("20", "21", "22", "23")
