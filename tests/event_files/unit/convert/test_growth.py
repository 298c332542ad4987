"""A backlog makes a run longer, never its payloads: inputs and outputs of states keep their size."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import orjson
import pytest

from sluice.contracts.model import PROFILING_LOG
from sluice.event_files.convert.batches import Converter
from sluice.event_files.convert.committing import commit, read_plan
from sluice.event_files.convert.model import BatchGroup
from sluice.event_files.convert.planning import MAX_SPANS, Planned, Planning
from sluice.event_files.convert.profiling import publish_profile
from sluice.event_files.ledger.model import ChunkRecord, Segment, clean_key
from sluice.lake.object_store import ListedObject
from tests.event_files.unit.convert.memory_ledger import MemoryLedger, RunningExecutions
from tests.event_files.unit.convert.test_converting import rows_of
from tests.event_files.unit.convert.test_planning import NOW
from tests.event_files.unit.validate.contract_events import REGISTRY
from tests.support.lake_tables import schema_of
from tests.support.memory_object_store import MemoryObjectStore, MemoryTables

BACKLOGS = (1, 100, 1_000)  # chunks; 98 files each
BATCH_BYTES = 32 << 20
STATE_BYTES = 256 * 1024  # what a state's input may have
CHUNK_ID = "20260131T120000{:06}Z-1f2e3d4c"
TABLES = tuple(contract.table for contract in REGISTRY.contracts)


def plan(chunks: int, chunk_bytes: int = 6_000) -> tuple[Planned, MemoryObjectStore]:
    """Plan a run over so many pending chunks, each with rows of every table and dirty records."""
    segments = tuple(Segment(table, place * chunk_bytes, chunk_bytes, 10) for place, table in enumerate(TABLES))
    pending = [ChunkRecord(CHUNK_ID.format(number), segments, 500, 98) for number in range(chunks)]
    files = MemoryObjectStore()
    planned = Planning(MemoryLedger(pending), files, RunningExecutions(), BATCH_BYTES).plan(
        "me", "the-run", NOW, "token"
    )
    return planned, files


def _groups(chunks: int, chunk_bytes: int) -> tuple[BatchGroup, ...]:
    planned, files = plan(chunks, chunk_bytes)
    return read_plan(files, planned.plan_key or "").groups


def test_a_plan_is_one_object_and_the_answer_of_planning_does_not_grow() -> None:
    planned = [plan(chunks) for chunks in BACKLOGS]
    assert {len(files.written) for _, files in planned} == {1}
    assert len({len(json.dumps(asdict(answer))) for answer, _ in planned}) == 1


@pytest.mark.parametrize("chunk_bytes", [60, 6_000, 2 << 20])
@pytest.mark.parametrize("chunks", BACKLOGS)
def test_no_group_outgrows_the_input_of_a_child(chunks: int, chunk_bytes: int) -> None:
    groups = _groups(chunks, chunk_bytes)
    assert max(len(orjson.dumps(group)) for group in groups) < STATE_BYTES / 2
    assert max(sum(len(batch.spans) for batch in group.batches) for group in groups) <= MAX_SPANS


def test_a_group_of_every_table_and_as_many_spans_as_may_be_fits_the_input_of_a_child() -> None:
    (group, *_) = _groups(MAX_SPANS // (len(TABLES) + 1), 60)
    assert {batch.table for batch in group.batches} == {*TABLES, None}
    assert sum(len(batch.spans) for batch in group.batches) > 0.95 * MAX_SPANS
    assert len(orjson.dumps(group)) < STATE_BYTES / 2


def test_a_small_run_is_one_group_and_a_large_one_about_as_many_as_its_bytes() -> None:
    assert len(_groups(11, 128 << 10)) == 1
    large = _groups(100, 2 << 20)
    work = 100 * (len(TABLES) * (2 << 20) + 500)
    assert work / BATCH_BYTES <= len(large) <= 2 * work / BATCH_BYTES


class UnlistableObjectStore(MemoryObjectStore):
    """A bucket in which a conversion finds everything by its plan."""

    def list(self, prefix: str) -> Iterator[ListedObject]:
        raise AssertionError(f"{prefix} is listed")


def test_a_conversion_lists_nothing() -> None:
    table, chunk_id = "MICROONE_PRED", CHUNK_ID.format(0)
    lines = b"".join(rows_of(table, 3))
    files = UnlistableObjectStore({clean_key(chunk_id): lines})
    ledger = MemoryLedger([ChunkRecord(chunk_id, (Segment(table, 0, len(lines), 3),))])
    planned = Planning(ledger, files, RunningExecutions(), BATCH_BYTES).plan("me", "the-run", NOW, "token")
    plan = read_plan(files, planned.plan_key or "")
    for group in plan.groups:
        Converter(REGISTRY, files, schema_of, lambda: "attempt").convert(group)
    tables = MemoryTables()
    assert commit(plan, files, tables, ledger).rows == {table: 3}
    publish_profile(plan, files, tables, ledger, schema_of(PROFILING_LOG.name))


def test_batches_grow_with_the_bytes_and_not_with_the_chunks() -> None:
    def batches(chunks: int, chunk_bytes: int) -> int:
        return sum(len(group.batches) for group in _groups(chunks, chunk_bytes))

    assert batches(400, 1_000) == batches(4, 100_000) == len(TABLES) + 1
    assert batches(1_000, 64 << 10) <= 10 * batches(100, 64 << 10)
    assert len(_groups(1_000, 64 << 10)) <= 10 * len(_groups(100, 64 << 10))
