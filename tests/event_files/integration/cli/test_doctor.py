"""`sluice doctor` on moto: each kind of damage is made, found and repaired or refused, and a healthy lake has none."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from cli.tables import checks
from sluice.aws import runtime
from sluice.aws.runtime import to_dynamodb
from sluice.event_files.ledger.model import CONVERTED, clean_key
from sluice.lake.object_store import table_prefix
from sluice.lake.tables_iceberg import IcebergTables
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RunRecords, record_key
from tests.platform.unit.digest.sample_runs import run
from tests.support.cli_environment import connect_commands, deployment, sluice, sluice_json
from tests.support.lake_tables import DATABASE, data_files, rows_of
from tests.support.moto.aws_calls import READS, Interruption
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, LEDGER, MotoStage
from tests.support.sample_events import body, broken, event, foreign
from tests.support.snapshots import ledger
from tests.tables.integration.upkeep_stage import UpkeepStage

TABLE = "MICROONE_EVENT"
ORPHAN = "data/dirty_json/2026/01/02/20260102T000000000000Z-0000000f.jsonl"


@pytest.fixture
def stage(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> MotoStage:
    """A stage with two runs over several tables, and a chunk that waits."""
    connect_commands(deployment(outputs={"LedgerTable": LEDGER, "LakeBucket": LAKE, "Database": DATABASE}), monkeypatch)
    for number in range(2):
        moto_stage.arrive(f"file-{number}", body(event(TABLE, number), event("MICROTWO_PRED", number), broken(number)))
        assert moto_stage.convert()
    moto_stage.arrive("waiting", body(event(TABLE, 9), foreign(1), b"no event"))
    return moto_stage


@pytest.fixture
def tables(stage: MotoStage) -> IcebergTables:
    return stage.tables


def found(*options: str, code: int = 1) -> list[tuple[str, str]]:
    """Return what is found, each kind with its place."""
    return [(each["kind"], each["place"]) for each in sluice_json("doctor", *options, code=code)["findings"]]


def test_a_healthy_lake(stage: MotoStage, tables: IcebergTables) -> None:
    healthy = sluice_json("doctor")
    assert healthy["findings"] == []
    assert healthy["checks"]["Chunks and their objects"] == 3
    newest, before = tables.snapshots(TABLE)
    tables.roll_back(TABLE, before.snapshot_id, newest.snapshot_id)
    assert found(code=0) == [], "after a roll-back"
    tables.roll_back(TABLE, newest.snapshot_id, before.snapshot_id)
    assert UpkeepStage(stage).compact().tables[TABLE].files_after == 1
    assert found(code=0) == [], "after a compaction"
    assert "✓" in sluice("doctor").stdout


def test_while_a_run_is_going_on(stage: MotoStage) -> None:
    with stage.calls.record() as operations:
        assert stage.convert()
    writes = [at for at, operation in enumerate(operations, start=1) if operation not in READS]
    seen = []

    def look() -> None:
        with stage.calls.intercept(_call):
            seen.append(found(code=0))

    for at in writes[::2]:
        stage.arrive(f"again-{at}", body(event(TABLE, 100 + at), broken(at)))
        with stage.calls.intercept(Interruption(at, look)):
            assert stage.convert()
    assert len(seen) == len(writes[::2])
    assert not any(seen)


def test_a_chunk_whose_object_is_gone(stage: MotoStage) -> None:
    (chunk,) = stage.runs.pending_chunks()
    stage.lake.delete([clean_key(chunk.chunk_id)])
    assert found("--repair", "--yes") == [("object gone", f"chunk {chunk.chunk_id}")], "not repaired: others decide"
    assert f"sluice ingest --again {chunk.chunk_id}" in sluice("doctor", code=1).stdout


def test_objects_without_a_chunk(stage: MotoStage) -> None:
    stage.lake.write(ORPHAN, b"{}")
    assert found(code=0) == [], "it may be committed yet"
    _age(ORPHAN, days=2)
    assert found(code=0) == [("no chunk", ORPHAN)]
    refused = sluice("doctor", "--repair", code=1)
    assert "no terminal" in refused.stderr
    assert stage.lake.exists(ORPHAN), "nothing is done unasked"
    assert found("--repair", "--yes", code=0) == [("no chunk", ORPHAN)]
    assert not stage.lake.exists(ORPHAN)
    assert found(code=0) == []


def test_a_clean_object_that_was_converted(stage: MotoStage) -> None:
    (chunk, *_) = stage.runs.items_under(CONVERTED)
    stage.lake.write(clean_key(chunk["sk"]), b"left")
    assert found("--repair", "--yes", code=0) == [("left over", f"chunk {chunk['sk']}")]
    assert found(code=0) == []


def test_rows_that_were_added_twice(tables: IcebergTables) -> None:
    file = next(key for key in data_files(LAKE) if key.startswith(table_prefix(TABLE)))
    tables.append(TABLE, "20260131T130000000000Z-0000000f", [file])
    before = rows_of(LAKE)
    assert found("--repair", "--yes") == [
        ("wrong rows", f"{TABLE} run 20260131T130000000000Z-0000000f"),
        ("wrong rows", TABLE),
    ]
    assert rows_of(LAKE) == before


def test_rows_that_are_lost(stage: MotoStage) -> None:
    (chunk, *_) = stage.runs.items_under(CONVERTED)
    twin = {
        **chunk,
        "sk": f"{chunk['sk']}0",
        "run_id": "20260131T110000000000Z-0000000f",
        "clean": {TABLE: 5},
        "dirty": {},
    }
    stage.dynamodb.put_item(TableName=LEDGER, Item=to_dynamodb(twin))
    (finding,) = sluice_json("doctor", code=1)["findings"]
    assert (finding["place"], finding["message"]) == (
        TABLE,
        "2 rows, and the ledger counts 7 events that were converted",
    )


def test_files_of_snapshots_that_are_gone(stage: MotoStage, tables: IcebergTables) -> None:
    newest, before = tables.snapshots(TABLE)
    kept = {each.file.file_path for each in tables._load(TABLE).scan(snapshot_id=before.snapshot_id).plan_files()}
    all_ = {each.file.file_path for each in tables._load(TABLE).scan().plan_files()}
    (last,) = all_ - kept
    stage.lake.delete([last.removeprefix(f"s3://{LAKE}/")])
    (finding,) = sluice_json("doctor", "--repair", "--yes", code=1)["findings"]
    assert (finding["kind"], finding["place"]) == ("file gone", f"{TABLE} {newest.snapshot_id}")
    assert f"sluice table {TABLE.lower()} --rollback {before.snapshot_id}" in finding["advice"]
    tables.roll_back(TABLE, before.snapshot_id, newest.snapshot_id)
    assert found(code=0) == [("file gone", f"{TABLE} {newest.snapshot_id}")], "an older one harms nobody"


def test_manifests_and_metadata_that_are_gone(stage: MotoStage, tables: IcebergTables) -> None:
    newest = tables._load(TABLE).current_snapshot()
    assert newest is not None
    stage.lake.delete([newest.manifest_list.removeprefix(f"s3://{LAKE}/")])
    assert ("file gone", f"{TABLE} {newest.snapshot_id}") in found()
    stage.lake.delete([tables._load(TABLE).metadata_location.removeprefix(f"s3://{LAKE}/")])
    assert ("table unreadable", TABLE) in found()
    runtime.glue().delete_table(DatabaseName=DATABASE, Name=TABLE.lower())
    assert ("table missing", TABLE) in found()


def test_files_that_nothing_refers_to(stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    key = f"{table_prefix(TABLE)}year=2024/month=2/day=29/hour=10/compact-late.parquet"
    stage.lake.write(key, b"late")
    assert found(code=0) == []
    monkeypatch.setattr(checks, "_LEFT", timedelta(days=-1))
    assert ("unreferenced", table_prefix(TABLE)) in found("--repair", "--yes", code=0)
    assert stage.lake.exists(key), "that is Compact's work"


def test_records_of_runs_that_are_no_rows(stage: MotoStage) -> None:
    records = RunRecords(stage.lake, RUN_KINDS)
    counts = dict.fromkeys(RUN_KINDS["convert"].counts, 1)
    record = run(datetime(2026, 2, 3, 4, tzinfo=UTC), counts=counts)
    records.write(record)
    assert found(code=0) == [], "it is on its way"
    _age(record_key(record.id), days=1)
    assert found() == [("rows missing", "RUNS 2026-02-03")]
    assert found("--repair", "--yes", code=0) == [("rows missing", "RUNS 2026-02-03")]
    assert [row["id"] for row in rows_of(LAKE)["RUNS"]] == [record.id]
    assert found(code=0) == []
    stage.lake.delete([record_key(record.id)])
    assert found("--repair", "--yes") == [("records gone", "RUNS 2026-02-03")]


def _age(key: str, days: int) -> None:
    """Let an object have been written so many days ago."""
    assert key in objects_of(LAKE)
    there: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[LAKE].keys[key]
    there.last_modified -= timedelta(days=days)


def _call(_operation: str, call: Callable[[], object]) -> object:
    return call()


def test_dirty_records_that_are_not_as_many_as_the_ledger_counts(stage: MotoStage, tables: IcebergTables) -> None:
    newest, before = tables.snapshots("DIRTY_EVENTS")
    tables.roll_back("DIRTY_EVENTS", before.snapshot_id, newest.snapshot_id)
    (lost,) = sluice_json("doctor", code=1)["findings"]
    assert (lost["kind"], lost["place"]) == ("wrong rows", f"DIRTY_EVENTS run {newest.run_id}")
    assert lost["message"] == "its records stand for 0 dirty pieces, the ledger counts 1"
    tables.roll_back("DIRTY_EVENTS", newest.snapshot_id, before.snapshot_id)
    assert found(code=0) == []
    for chunk in [item for item in ledger(CONVERTED) if item["run_id"] == before.run_id]:
        chunk["dirty"]["MICROONE_EVENT"]["RULE_BROKEN"] += 1
        stage.dynamodb.put_item(TableName=LEDGER, Item=to_dynamodb(chunk))
    assert found() == [("wrong rows", f"DIRTY_EVENTS run {before.run_id}")]
    del chunk["dirty_kept"]
    stage.dynamodb.put_item(TableName=LEDGER, Item=to_dynamodb(chunk))
    assert found(code=0) == [], "it was converted before there was such a table"
