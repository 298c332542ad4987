"""A batch becomes Parquet files and a receipt, the same however often it is converted."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.contracts.generation import generate_event
from sluice.contracts.model import PARTITION_KEYS
from sluice.event_files.convert.batches import Converted, Converter, read_rows
from sluice.event_files.convert.model import Batch, BatchGroup, Span, left_out_key, profile_part_key, receipts_key
from sluice.event_files.ledger.model import Counts
from sluice.event_files.validate.event_processor import EventProcessor, lineage_of
from sluice.lake.object_store import table_prefix
from tests.event_files.unit.validate.contract_events import CONTRACTS, REGISTRY, chance
from tests.support.lake_tables import schema_of
from tests.support.memory_object_store import MemoryObjectStore

RUN, TABLE = "20260131T120000000000Z-r", "MICROONE_PRED"
HOURS = 3


def rows_of(table: str, count: int) -> list[bytes]:
    """Rows of `count` events, spread over some hours."""
    contract, rng = REGISTRY.contract(table), chance(7)
    processor, lines = EventProcessor(contract, lambda _lib, _id: None), []
    for number in range(count):
        at = datetime(2022, 4, 9, 22, tzinfo=UTC) + timedelta(hours=number % HOURS)
        event = generate_event(contract, rng, at)
        lineage = lineage_of(f"key-{number}") % number
        line = processor.process(event, memoryview(orjson.dumps(event)), lineage, Counts())
        assert isinstance(line, bytes)
        lines.append(line)
    return lines


def batch_of(files: MemoryObjectStore, table: str, lines: list[bytes]) -> Batch:
    """A batch whose rows stand in two objects, between those of others."""
    halves = [b"".join(lines[:5]), b"".join(lines[5:])]
    spans = []
    for number, half in enumerate(halves):
        files.objects[f"chunk-{number}"] = b"before\n" + half + b"behind\n"
        spans.append(Span(f"chunk-{number}", len(b"before\n"), len(half), rows=half.count(b"\n")))
    return Batch(RUN, "2026-01-31T12:00:00.000Z", f"00000-{table}", table, tuple(spans))


def convert(files: MemoryObjectStore, *batches: Batch) -> Converted:
    return Converter(REGISTRY, files, schema_of, lambda: "attempt").convert(BatchGroup(batches))


def read(files: MemoryObjectStore, prefix: str) -> pa.Table:
    parts = [pq.read_table(pa.BufferReader(files.objects[key]), partitioning=None) for key in files.keys(prefix)]
    return pa.concat_tables(parts)


def events_of(files: MemoryObjectStore, prefix: str) -> pa.Table:
    """Return the rows of files without the columns of their partitions."""
    return read(files, prefix).drop_columns(PARTITION_KEYS)


@pytest.mark.parametrize("table", [contract.table for contract in CONTRACTS])
def test_rows_land_in_their_partitions(table: str) -> None:
    files = MemoryObjectStore()
    lines = rows_of(table, 20)
    batch = batch_of(files, table, lines)
    convert(files, batch)
    root, name = f"data/clean_parquet/{table}.parquet/", f"{RUN}-00000-{table}-attempt.parquet"
    partitions = (
        "year=2022/month=4/day=10/hour=0/",
        "year=2022/month=4/day=9/hour=22/",
        "year=2022/month=4/day=9/hour=23/",
    )
    assert files.keys(root) == [f"{root}{partition}{name}" for partition in partitions]
    wanted = read_rows(REGISTRY.contract(table), b"".join(lines))
    assert events_of(files, root).sort_by("_source_offset").equals(wanted.sort_by("_source_offset"))
    receipt = json.loads(files.objects[receipts_key(RUN, batch.batch_id)])
    size = sum(len(body) for key, body in files.objects.items() if key.startswith(table_prefix(table)))
    written = {
        "rows": 20,
        "files": files.keys(root),
        "parquet_bytes": size,
        "newest_hour": "2022-04-10T00",
        "table_id": "",
    }
    assert {**receipt, "files": sorted(receipt["files"])} == {"batch_id": batch.batch_id, "table": table, **written}
    assert read(files, profile_part_key(RUN, batch.batch_id)).num_rows == 20


@pytest.mark.parametrize(
    ("planned_at", "newest"),
    [
        ("2022-04-10T00:59:59.999Z", "2022-04-10T00"),
        ("2022-04-09T23:59:59.999Z", "2022-04-09T23"),
        ("2021-01-01T00:00:00.000Z", ""),
    ],
)
def test_an_hour_that_the_plan_could_not_know_of_is_not_the_newest(planned_at: str, newest: str) -> None:
    files = MemoryObjectStore()
    batch = replace(batch_of(files, TABLE, rows_of(TABLE, 20)), planned_at=planned_at)
    (receipt,) = convert(files, batch).receipts
    assert receipt.newest_hour == newest


def test_a_file_may_be_passed_over_by_short_values_and_repeats_no_text() -> None:
    files = MemoryObjectStore()
    convert(files, batch_of(files, "MICROTWO_PRED", rows_of("MICROTWO_PRED", 20)))
    (body, *_) = [files.objects[key] for key in files.keys("data/clean_parquet/")]
    group = pq.ParquetFile(pa.BufferReader(body)).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    known = {column.path_in_schema for column in columns if column.is_stats_set}
    assert known == {"unix_timestamp", "date_time", "_rescued", "_source_key", "_source_offset", *PARTITION_KEYS}


def test_again_writes_the_same() -> None:
    """Also when it died in the middle: without a receipt everything is written anew, over what is there."""
    files = MemoryObjectStore()
    batch = batch_of(files, TABLE, rows_of(TABLE, 20))
    convert(files, batch)
    once = dict(files.objects)
    del files.objects[receipts_key(RUN, batch.batch_id)]
    convert(files, batch)
    assert files.objects == once


def test_a_group_is_done_as_one() -> None:
    files = MemoryObjectStore()
    first, second = batch_of(files, TABLE, rows_of(TABLE, 20)), batch_of(files, TABLE, rows_of(TABLE, 20))
    second = replace(second, batch_id=f"00001-{TABLE}")
    assert not convert(files, first, other_rows(second, 1)).receipts
    assert files.keys("runs/") == [left_out_key(RUN, first.batch_id)]
    assert not files.keys("data/")
    assert [receipt.rows for receipt in convert(files, first, second).receipts] == [20, 20]
    assert files.keys(f"runs/{RUN}/receipts/") == [receipts_key(RUN, first.batch_id)]
    assert read(files, f"runs/{RUN}/profile/").num_rows == read(files, table_prefix(TABLE)).num_rows == 40
    assert convert(files, first, second) == Converted()


def other_rows(batch: Batch, more: int) -> Batch:
    """The batch with more rows, or fewer, planned of its last chunk."""
    *spans, last = batch.spans
    return replace(batch, spans=(*spans, replace(last, rows=last.rows + more)))


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_chunk_with_other_rows_than_planned_is_left_out(difference: int) -> None:
    files = MemoryObjectStore()
    batch = batch_of(files, TABLE, rows_of(TABLE, 20))
    (left_out,) = convert(files, other_rows(batch, difference)).left_out
    assert (left_out.chunk_id, left_out.gone) == ("chunk-1", False)
    assert f"{15 + difference} rows were planned, 15 are there" in left_out.reason


NO_EVENTS = {
    "other members": b'{"id":"a","date_time":"2022-04-09T08:00:00Z","_source_key":"k","_source_offset":0}\n',
    "no object": b"[1]\n",
    "no JSON": b"\xff{\n",
}


@pytest.mark.parametrize("line", NO_EVENTS.values(), ids=NO_EVENTS.keys())
@pytest.mark.parametrize("table", [TABLE, None])
def test_chunks_of_lines_that_are_no_events_are_left_out(table: str | None, line: bytes) -> None:
    files = MemoryObjectStore()
    batch = replace(batch_of(files, TABLE, [line] * 20), table=table)
    assert [each.chunk_id for each in convert(files, batch).left_out] == ["chunk-0", "chunk-1"]
    assert files.keys("runs/") == [left_out_key(RUN, batch.batch_id)]
    assert not files.keys("data/")


@pytest.mark.parametrize("length", [3 << 20, 9 << 20])
def test_rows_larger_than_a_block_of_the_reader(length: int) -> None:
    event = {"detail": {"id": "x" * length}, "time": "2022-04-09T08:00:00Z"}
    rows = read_rows(REGISTRY.contract(TABLE), (orjson.dumps(event) + b"\n") * 3)
    assert [len(value.as_py()) for value in rows["id"]] == [length] * 3
