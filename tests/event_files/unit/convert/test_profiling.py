"""The profiling log: one record per event, clean or dirty, with what the board asks for."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.event_files.convert.batches import read_rows
from sluice.event_files.convert.model import Batch, BatchGroup, Plan, profile_part_key
from sluice.event_files.convert.profiling import profile_of_dirty, profile_of_rows, publish_profile
from sluice.event_files.ledger.model import OpenRun, Reason, SourceObject
from sluice.event_files.validate.event_processor import Recognition
from sluice.event_files.validate.records import dirty_line, place_of
from sluice.event_files.validate.rules import RuleBreak
from sluice.lake.parquet import to_parquet
from tests.event_files.unit.convert.memory_ledger import MemoryLedger
from tests.event_files.unit.validate.contract_events import REGISTRY
from tests.support.lake_tables import schema_of
from tests.support.memory_object_store import MemoryObjectStore, MemoryTables

PLANNED_AT = "2026-01-31T12:30:15.123Z"
RUN = "20260131T123015123456Z-r"
BATCH = Batch(RUN, PLANNED_AT, "00000-X", "SIM_EVENT", ())
COMMON = {"workflow_run_id": RUN, "timestamp": datetime(2026, 1, 31, 12, 30, 15, 123000, tzinfo=UTC)}
NAMES = ["event_id", "passed", "event_filename", "service_name", "service_type", "errors"]
COLUMNS = [*COMMON, *NAMES]
SOURCE = SourceObject("bucket", "a key é", "etag")


def dirty(
    reason: Reason, recognition: Recognition, event: Any, raw: bytes, breaks: tuple[RuleBreak, ...] = ()
) -> bytes:
    return dirty_line(reason, recognition, breaks, event, place_of(SOURCE, 0, len(raw)), memoryview(raw))


@pytest.mark.parametrize(
    ("table", "service", "kind"), [("SIM_EVENT", "SIM", "EVENT"), ("HEADLINER_PRED", "HEADLINE", "PREDICTION")]
)
def test_clean_events(table: str, service: str, kind: str) -> None:
    contract = REGISTRY.contract(table)
    lines = b'{"detail":{"id":"a"},"_source_key":"k1"}\n{"detail":{"id":"b"},"_source_key":"k2"}\n'
    profile = profile_of_rows(BATCH, contract, read_rows(contract, lines))
    common = {**COMMON, "passed": True, "service_name": service, "service_type": kind, "errors": "{}"}
    assert profile.column_names == COLUMNS
    assert profile.to_pylist() == [
        {**common, "event_id": "a", "event_filename": "k1"},
        {**common, "event_id": "b", "event_filename": "k2"},
    ]


def test_dirty_events() -> None:
    breaks = (
        RuleBreak("type", "/time", "one"),
        RuleBreak("required", "/detail/id", "two"),
        RuleBreak("pattern", "/time", "three"),
    )
    contract = REGISTRY.contract("MICROONE_PRED")
    known = Recognition(contract, None, contract.family, "PRED", "microone")
    lines = (
        dirty(Reason.RULE_BROKEN, known, {"detail": {"id": "x"}}, b"{}\r\n\xe2\x80\xa8", breaks)
        + dirty(Reason.NO_CONTRACT, Recognition(service="imageTagging", kind="EVENT"), {"detail": {"id": 5}}, b"\xff")
        + dirty(Reason.FRAGMENT, Recognition(), None, b"")
    )
    profile = profile_of_dirty(BATCH, map(orjson.loads, lines.splitlines()))
    common = {**COMMON, "passed": False, "event_filename": "a key é"}
    errors = {"RULE_BROKEN": {"/time": ["one", "three"], "/detail/id": ["two"]}}
    unknown = {"event_id": None, "service_name": None, "service_type": None}
    assert profile.column_names == COLUMNS
    assert [{**row, "errors": json.loads(row["errors"])} for row in profile.to_pylist()] == [
        {**common, "event_id": "x", "service_name": "MICROONE", "service_type": "PREDICTION", "errors": errors},
        {**common, **unknown, "service_name": "IMAGETAGGING", "service_type": "EVENT", "errors": {"NO_CONTRACT": {}}},
        {**common, **unknown, "errors": {"FRAGMENT": {}}},
    ]


def test_the_log_of_a_run_is_one_file_of_its_table() -> None:
    contract = REGISTRY.contract("SIM_EVENT")
    batches = tuple(Batch(RUN, PLANNED_AT, name, "SIM_EVENT", ()) for name in "ab")
    files = MemoryObjectStore()
    groups = tuple(BatchGroup((batch,)) for batch in batches)
    for batch in batches:
        rows = read_rows(contract, orjson.dumps({"detail": {"id": batch.batch_id}}))
        files.write(profile_part_key(RUN, batch.batch_id), to_parquet(profile_of_rows(batch, contract, rows)))
    ledger = MemoryLedger(run=OpenRun(RUN, "me", "plan"))
    tables, schema = MemoryTables(), schema_of("PROFILING_LOG")
    key = publish_profile(Plan(RUN, PLANNED_AT, 2, (), groups), files, tables, ledger, schema)
    assert key == f"data/clean_parquet/PROFILING_LOG.parquet/year=2026/month=1/day=31/hour=12/{RUN}.parquet"
    log = pq.read_table(pa.BufferReader(files.objects[key]))
    assert log["event_id"].to_pylist() == ["a", "b"]
    assert log.schema.field("timestamp").type == pa.timestamp("us")
    assert tables.files == {"PROFILING_LOG": {RUN: (key,)}}
    assert ledger.run is None
    before = dict(files.objects)
    later = pa.schema([*schema, pa.field("gained", pa.string())])
    assert publish_profile(Plan(RUN, PLANNED_AT, 2, (), groups), files, tables, ledger, later) == key
    assert files.objects == before, "a file that a table has stays as the table knows it"
