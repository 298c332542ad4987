"""Commit of a run: rows out must equal events in, per table, before its chunks count as converted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from sluice.event_files.convert.model import Plan, Receipt, RunLedger, Tables, receipts_key
from sluice.event_files.ledger.model import clean_key
from sluice.lake.lease import LeaseLostError
from sluice.lake.object_store import MissingObjectError, ObjectStore, commit_key


class IncompleteRunError(Exception):
    """Receipts are missing or do not match the plan; nothing was marked converted."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a run: `events` are the clean ones, `dirty` is by table and reason, `newest_hours` by table.

    `left_out` are the chunks that could not be converted, and wait on.
    """

    run_id: str
    status: str
    files: int
    events: int
    rows: Mapping[str, int]
    parquet_files: int
    parquet_bytes: int
    newest_hours: Mapping[str, str]
    bytes: int
    dirty: Mapping[str, Mapping[str, int]]
    dirty_bytes: int
    dirty_files: int
    unrelated: int
    unknown_members: int
    media_missing: int
    planned_at: str
    left_out: Sequence[Mapping[str, Any]]


def read_plan(files: ObjectStore, key: str) -> Plan:
    """Read a published plan."""
    return Plan.from_json(orjson.loads(files.read(key)))


def assert_owned(plan: Plan, execution: str, ledger: RunLedger, key: str | None = None) -> None:
    """Assert that an execution has the run of a plan, and that the plan at `key`, if that is given, is still the run's.

    One that is redriven would count once more what was done since.

    Raises:
        LeaseLostError: Another execution took the run over, or put another plan in this one's place.
    """
    run = ledger.open_run()
    if run is None or (run.run_id, run.execution, key or run.plan_key) != (plan.run_id, execution, run.plan_key):
        raise LeaseLostError(
            f"run {plan.run_id} was taken over by another execution: nothing is left to do for this one"
        )


def commit(plan: Plan, files: ObjectStore, tables: Tables, ledger: RunLedger) -> Summary:
    """Compare rows out with events in, make the files rows of their tables, then mark the plan's chunks converted.

    Clean objects of converted chunks are removed.

    Raises:
        IncompleteRunError: A group of batches has no receipts, or a table has other rows than planned.
        CommitError: A table refused its rows; those committed before it have theirs, and are left alone next time.
    """
    receipts = read_receipts(plan, files)
    rows = _complete_rows(plan, receipts)
    summary = Summary(
        run_id=plan.run_id,
        status="converted",
        files=plan.files,
        events=plan.rows().total(),
        rows=dict(sorted(rows.items())),
        parquet_files=sum(len(receipt.files) for receipt in receipts if receipt.table),
        parquet_bytes=sum(receipt.parquet_bytes for receipt in receipts if receipt.table),
        newest_hours=_newest_hours(receipts),
        planned_at=plan.planned_at,
        left_out=[asdict(each) for each in plan.left_out],
        **asdict(plan.arrived),
    )
    for table in plan.tables():
        written = [each for each in receipts if each.target == table]
        keys = [key for each in written for key in each.files]
        tables.append(table, plan.run_id, keys, max(each.table_id for each in written))
    files.write(commit_key(plan.run_id), orjson.dumps(summary))
    ledger.mark_converted(plan.chunk_ids, plan.run_id)
    files.delete([clean_key(chunk_id) for chunk_id in plan.chunk_ids])
    return summary


def read_receipts(plan: Plan, files: ObjectStore) -> list[Receipt]:
    """Read the receipts of a plan's batches. Raises IncompleteRunError."""
    keys = [receipts_key(plan.run_id, group.group_id) for group in plan.groups]
    try:
        return [Receipt(**orjson.loads(line)) for body in files.read_all(keys) for line in body.splitlines()]
    except MissingObjectError as error:
        raise IncompleteRunError(
            f"run {plan.run_id}: batches left no receipts ({error}); start the conversion again, it resumes this run"
        ) from error


def _newest_hours(receipts: Sequence[Receipt]) -> dict[str, str]:
    newest: dict[str, str] = {}
    for receipt in receipts:
        if receipt.table and receipt.newest_hour:
            newest[receipt.table] = max(receipt.newest_hour, newest.get(receipt.table, ""))
    return dict(sorted(newest.items()))


def _complete_rows(plan: Plan, receipts: Sequence[Receipt]) -> Counter[str]:
    """Return the rows written, by table. Raises IncompleteRunError."""
    planned, rows = plan.rows(), Counter[str]()
    for receipt in receipts:
        if receipt.table:
            rows[receipt.table] += receipt.rows
    wrong = [table for table in planned | rows if planned[table] != rows[table]]
    if wrong:
        tables = "; ".join(f"{table}: {planned[table]} in, {rows[table]} out" for table in wrong)
        raise IncompleteRunError(f"run {plan.run_id}: rows do not match events ({tables}); nothing was committed")
    return rows
