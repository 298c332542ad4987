"""The profiling log: one record per event of a run, with its outcome and reasons."""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.contracts.model import PROFILING_LOG, Contract
from sluice.event_files.convert.model import Batch, Plan, RunLedger, Tables, profile_part_key
from sluice.lake.object_store import ObjectStore, parquet_key
from sluice.lake.parquet import arrow_schema, rows_of
from sluice.search.pending import PendingRun, mark_pending

_SCHEMA = arrow_schema(PROFILING_LOG.columns)
_SERVICE_TYPES = {"EVENT": "EVENT", "PRED": "PREDICTION"}
_PASSED = "{}"


def profile_of_rows(batch: Batch, contract: Contract, rows: pa.Table) -> pa.Table:
    """Return the records of clean events."""
    count = rows.num_rows
    columns = {
        "event_id": rows["id"],
        "passed": pa.repeat(pa.scalar(value=True), count),
        "event_filename": rows["_source_key"],
        "service_name": pa.repeat(contract.services[0].upper(), count),
        "service_type": pa.repeat(_SERVICE_TYPES[contract.kind], count),
        "errors": pa.repeat(_PASSED, count),
    }
    return _table(batch, columns, count)


def profile_of_dirty(batch: Batch, dirty: Iterable[dict[str, Any]]) -> pa.Table:
    """Return the records of dirty events."""
    records = list(map(_dirty_record, dirty))
    names = _SCHEMA.names[2:]
    columns = {name: pa.array([record[name] for record in records], _SCHEMA.field(name).type) for name in names}
    return _table(batch, columns, len(records))


def publish_profile(
    plan: Plan, files: ObjectStore, tables: Tables, ledger: RunLedger, schema: pa.Schema, *, searched: bool = False
) -> str:
    """Make the run's profiling log one file of its table, whose `schema` is given, then close the run.

    Returns the file's key; a run that had to leave out every chunk has no such file. Where the log is `searched` as
    well, a marker for the search loader is written first.
    """
    key = parquet_key(PROFILING_LOG.name, plan.planned_at, plan.run_id)
    if plan.groups:
        if plan.run_id not in tables.id_and_runs(PROFILING_LOG.name)[1]:  # a table's file is never written anew
            _write(plan, files, schema, key)
            tables.append(PROFILING_LOG.name, plan.run_id, [key])
        if searched:
            mark_pending(files, PendingRun(plan.run_id, key))
    ledger.close_run(plan.run_id)
    return key


def _write(plan: Plan, files: ObjectStore, schema: pa.Schema, key: str) -> None:
    parts = (files.read(profile_part_key(plan.run_id, group.group_id)) for group in plan.groups)
    with tempfile.TemporaryFile() as merged:
        _merge((rows_of(_read(part), plan.planned_at, schema) for part in parts), schema, merged)
        merged.seek(0)
        files.write(key, merged)


def _read(part: bytes) -> pa.Table:
    return pq.read_table(pa.BufferReader(part))


def _merge(parts: Iterable[pa.Table], schema: pa.Schema, target: IO[bytes]) -> None:
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(part)


def _table(batch: Batch, columns: dict[str, Any], count: int) -> pa.Table:
    planned_at = pa.scalar(datetime.fromisoformat(batch.planned_at), _SCHEMA.field("timestamp").type)
    everywhere = {"workflow_run_id": pa.repeat(batch.run_id, count), "timestamp": pa.repeat(planned_at, count)}
    return pa.table({**everywhere, **columns}, schema=_SCHEMA)


def _dirty_record(record: dict[str, Any]) -> dict[str, Any]:
    service, kind = record["service"], record["kind"]
    return {
        "event_id": record["event_id"],
        "passed": False,
        "event_filename": record["source_key"],
        "service_name": service and service.upper(),
        "service_type": kind and _SERVICE_TYPES[kind],
        "errors": orjson.dumps({record["reason"]: dict(_by_pointer(record["errors"]))}).decode(),
    }


def _by_pointer(errors: list[dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for pointer in dict.fromkeys(error["pointer"] for error in errors):
        yield pointer, [error["message"] for error in errors if error["pointer"] == pointer]
