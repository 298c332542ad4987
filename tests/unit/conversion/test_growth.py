"""A backlog makes a run longer, never its payloads: what states hand on and what a child gets stays as it is."""

import json
from dataclasses import asdict

import pytest

from sluice.conversion.committing import read_plan
from sluice.conversion.planning import MAX_SPANS_PER_BATCH, Planned, Planning
from sluice.conversion.ports import RunFiles
from sluice.events.model import ChunkRecord, Segment
from tests.unit.conversion.memory import MemoryFiles, MemoryLedger
from tests.unit.conversion.test_planning import NOW, Running

BACKLOGS = (1, 100, 5_000)  # chunks; 98 files each
STATE_BYTES = 256 * 1024  # what a state's input may have
CHUNK_ID = "20260131T120000{:06}Z-1f2e3d4c"
TABLES = ("HEADLINER_EVENT", "MICROONE_EVENT", "MICROTHREE_PRED")


class Files(MemoryFiles):
    """A lake that counts what is written."""

    written = 0

    def write(self, key: str, body: object) -> None:
        self.written += 1
        super().write(key, body)  # type: ignore[arg-type]


def plan(chunks: int, chunk_bytes: int = 6_000) -> tuple[Planned, Files]:
    """Plan a run over so many pending chunks, each with rows of every table and dirty records."""
    segments = tuple(Segment(table, place * chunk_bytes, chunk_bytes, 10) for place, table in enumerate(TABLES))
    pending = [ChunkRecord(CHUNK_ID.format(number), segments, 500, 98) for number in range(chunks)]
    files = Files()
    planned = Planning(MemoryLedger(pending), files, Running(), 32 << 20).plan("me", "the-run", NOW, "token")
    return planned, files


def test_the_answer_of_planning_does_not_grow() -> None:
    sizes = {len(json.dumps(asdict(plan(chunks)[0]))) for chunks in BACKLOGS}
    assert len(sizes) == 1


@pytest.mark.parametrize("chunk_bytes", [60, 6_000, 2 << 20])
def test_no_batch_outgrows_the_input_of_a_child(chunk_bytes: int) -> None:
    planned, files = plan(max(BACKLOGS), chunk_bytes)
    batches = read_plan(files, planned.plan_key or "").batches
    assert max(len(json.dumps(batch.to_json())) for batch in batches) < STATE_BYTES / 2
    assert max(len(batch.spans) for batch in batches) <= MAX_SPANS_PER_BATCH


def test_a_plan_is_one_object_however_long() -> None:
    assert {plan(chunks)[1].written for chunks in BACKLOGS} == {1}


def test_batches_grow_with_the_bytes_and_not_with_the_chunks() -> None:
    def batches(chunks: int, chunk_bytes: int) -> int:
        planned, files = plan(chunks, chunk_bytes)
        return len(read_plan(files, planned.plan_key or "").batches)

    assert batches(400, 1_000) == batches(4, 100_000) == len(TABLES) + 1
    assert batches(4_000, 64 << 10) <= 10 * batches(400, 64 << 10)


def test_a_conversion_lists_nothing() -> None:
    assert not [name for name in vars(RunFiles) if "list" in name or "walk" in name]
