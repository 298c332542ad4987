"""The end of a run: rows out must be events in, per table, or nothing is committed."""

import json
from dataclasses import asdict

import orjson
import pytest

from sluice.event_files.convert.committing import IncompleteRunError, Summary, commit
from sluice.event_files.convert.model import Arrived, Batch, BatchGroup, Plan, Receipt, Span, receipts_key
from sluice.event_files.ledger.model import clean_key
from sluice.lake.object_store import commit_key
from tests.event_files.unit.convert.memory_ledger import MemoryLedger
from tests.support.memory_object_store import MemoryObjectStore, MemoryTables

RUN = "run"
CHUNKS = ("20260131T000000000000Z-a", "20260131T000000000001Z-b")
BATCHES = tuple(
    Batch(RUN, "then", name, table, (Span("", 0, 0, rows=rows),))
    for name, table, rows in [("0", "A", 3), ("1", "A", 2), ("2", "B", 1), ("3", None, 0)]
)
GROUPS = (BatchGroup(BATCHES[:3]), BatchGroup(BATCHES[3:]))
FILES = ("file-1", "file-2")
RECEIPTS = tuple(
    Receipt(each.batch_id, each.table, each.rows, FILES, 100, f"2026-01-31T0{9 - int(each.batch_id)}")
    if each.table
    else Receipt(each.batch_id, None, 0, FILES, 100)
    for each in BATCHES
)
PLAN = Plan(RUN, "then", 7, CHUNKS, GROUPS, Arrived(900, 4, 3, 2, {"A": {"RULE_BROKEN": 5}}))
SUMMARY = Summary(
    run_id=RUN,
    status="converted",
    files=7,
    events=6,
    rows={"A": 5, "B": 1},
    parquet_files=6,
    parquet_bytes=300,
    newest_hours={"A": "2026-01-31T09", "B": "2026-01-31T07"},
    bytes=900,
    dirty={"A": {"RULE_BROKEN": 5}},
    dirty_bytes=0,
    dirty_files=0,
    unrelated=4,
    unknown_members=3,
    media_missing=2,
    planned_at="then",
    left_out=[],
)


def lake_with(*receipts: Receipt) -> MemoryObjectStore:
    """A lake with the chunks of the run, and these receipts of its batches."""
    lake = MemoryObjectStore({clean_key(chunk): b"rows" for chunk in CHUNKS})
    for group in GROUPS:
        names = [batch.batch_id for batch in group.batches]
        lines = [orjson.dumps(receipt) + b"\n" for receipt in receipts if receipt.batch_id in names]
        lake.write(receipts_key(RUN, group.group_id), b"".join(lines))
    return lake


def test_a_whole_run_is_committed_and_again_with_the_same_result() -> None:
    ledger, lake, tables = MemoryLedger(), lake_with(*RECEIPTS), MemoryTables()
    for _ in range(2):
        assert commit(PLAN, lake, tables, ledger) == SUMMARY
        assert tables.files == {"A": {RUN: FILES * 2}, "B": {RUN: FILES}, "DIRTY_EVENTS": {RUN: FILES}}
        assert json.loads(lake.objects[commit_key(RUN)]) == asdict(SUMMARY)
        assert ledger.converted == dict.fromkeys(CHUNKS, RUN)
        assert not any(lake.exists(clean_key(chunk)) for chunk in CHUNKS)


WRONG = {
    "one row too few": ("0", Receipt("0", "A", 2, FILES), "A: 5 in, 4 out"),
    "one row too many": ("2", Receipt("2", "B", 2, FILES), "B: 1 in, 2 out"),
    "rows in another table": ("2", Receipt("2", "A", 1, FILES), "A: 5 in, 6 out.*B: 1 in, 0 out"),
    "unplanned rows": ("3", Receipt("3", "C", 1, FILES), "C: 0 in, 1 out"),
    "a receipt is missing": ("1", None, "A: 5 in, 3 out"),
}


@pytest.mark.parametrize(("batch_id", "wrong", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_counts_are_refused(batch_id: str, wrong: Receipt | None, message: str) -> None:
    others = [receipt for receipt in RECEIPTS if receipt.batch_id != batch_id]
    ledger, lake, tables = MemoryLedger(), lake_with(*others, *([wrong] if wrong else [])), MemoryTables()
    before = dict(lake.objects)
    with pytest.raises(IncompleteRunError, match=message):
        commit(PLAN, lake, tables, ledger)
    assert lake.objects == before
    assert not tables.files
    assert not ledger.converted
