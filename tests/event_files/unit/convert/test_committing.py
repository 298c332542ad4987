"""The end of a run: rows out must be events in, per table, or nothing is committed."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace

import orjson
import pytest

from sluice.event_files.convert.committing import IncompleteRunError, Summary, commit
from sluice.event_files.convert.model import Arrived, Batch, BatchGroup, Plan, Receipt, receipts_key
from sluice.event_files.ledger.model import clean_key
from sluice.event_files.run_summary import commit_key
from tests.event_files.unit.convert.memory_ledger import MemoryLedger
from tests.support.memory_object_store import MemoryObjectStore

RUN = "run"
CHUNKS = ("20260131T000000000000Z-a", "20260131T000000000001Z-b")
BATCHES = tuple(
    Batch(RUN, "then", name, table, rows, ())
    for name, table, rows in [("0", "A", 3), ("1", "A", 2), ("2", "B", 1), ("3", None, 0)]
)
GROUPS = (BatchGroup(BATCHES[:3]), BatchGroup(BATCHES[3:]))
RECEIPTS = tuple(
    Receipt(each.batch_id, each.table, each.rows, 2, 100, f"2026-01-31T0{each.batch_id}" if each.table else "")
    for each in BATCHES
)
PLAN = Plan(RUN, "then", 7, CHUNKS, GROUPS, Arrived(900, 4, 3, 2, {"A": {"RULE_BROKEN": 5}}))
SUMMARY = Summary(
    run_id=RUN,
    status="converted",
    files=7,
    events=6,
    rows={"A": 5, "B": 1},
    parquet_files=8,
    parquet_bytes=400,
    newest_hours={"A": "2026-01-31T01", "B": "2026-01-31T02"},
    bytes=900,
    dirty={"A": {"RULE_BROKEN": 5}},
    unrelated=4,
    unknown_members=3,
    media_missing=2,
    planned_at="then",
)


@pytest.fixture
def files() -> MemoryObjectStore:
    files = MemoryObjectStore({clean_key(chunk): b"rows" for chunk in CHUNKS})
    leave(files, *RECEIPTS)
    return files


def leave(files: MemoryObjectStore, *receipts: Receipt) -> None:
    """Leave these receipts, and those of the other batches."""
    known = {each.batch_id: each for each in (*RECEIPTS, *receipts)}
    for group in GROUPS:
        leave_lines(files, group, [known[batch.batch_id] for batch in group.batches])


def leave_lines(files: MemoryObjectStore, group: BatchGroup, receipts: Iterable[Receipt]) -> None:
    files.write(receipts_key(RUN, group.group_id), b"".join(orjson.dumps(receipt) + b"\n" for receipt in receipts))


def test_a_whole_run_is_committed(files: MemoryObjectStore) -> None:
    ledger = MemoryLedger()
    assert commit(PLAN, files, ledger) == SUMMARY
    assert json.loads(files.objects[commit_key(RUN)]) == asdict(SUMMARY)
    assert ledger.converted == dict.fromkeys(CHUNKS, RUN)
    assert not any(files.exists(clean_key(chunk)) for chunk in CHUNKS)


def test_again_changes_nothing(files: MemoryObjectStore) -> None:
    ledger = MemoryLedger()
    commit(PLAN, files, ledger)
    once = dict(files.objects)
    assert commit(PLAN, files, ledger) == SUMMARY
    assert files.objects == once


WRONG = {
    "one row too few": (Receipt("0", "A", 2, 2), "A: 5 in, 4 out"),
    "one row too many": (Receipt("2", "B", 2, 2), "B: 1 in, 2 out"),
    "rows in another table": (Receipt("2", "A", 1, 2), "A: 5 in, 6 out.*B: 1 in, 0 out"),
    "unplanned rows": (Receipt("3", "C", 1, 1), "C: 0 in, 1 out"),
}


@pytest.mark.parametrize(("receipt", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_counts_are_refused(files: MemoryObjectStore, receipt: Receipt, message: str) -> None:
    leave(files, receipt)
    assert_refused(files, PLAN, message)


def test_missing_receipts_are_refused(files: MemoryObjectStore) -> None:
    files.delete([receipts_key(RUN, GROUPS[1].group_id)])
    assert_refused(files, PLAN, "batches left no receipts")


@pytest.mark.parametrize(("missing", "message"), [(0, "A: 5 in, 2 out"), (1, "A: 5 in, 3 out"), (2, "B: 1 in, 0 out")])
def test_a_missing_receipt_among_others_is_refused(files: MemoryObjectStore, missing: int, message: str) -> None:
    kept = [receipt for receipt in RECEIPTS[:3] if receipt is not RECEIPTS[missing]]
    leave_lines(files, GROUPS[0], kept)
    assert_refused(files, PLAN, message)


def test_an_unplanned_table_is_refused(files: MemoryObjectStore) -> None:
    group = BatchGroup((*BATCHES[:2], replace(BATCHES[2], table=None)))
    assert_refused(files, replace(PLAN, groups=(group, GROUPS[1])), "B: 0 in")


def assert_refused(files: MemoryObjectStore, plan: Plan, message: str) -> None:
    ledger, before = MemoryLedger(), dict(files.objects)
    with pytest.raises(IncompleteRunError, match=message):
        commit(plan, files, ledger)
    assert files.objects == before
    assert not ledger.converted
