"""Results of the files of each top folder: rows, profiling log, ledger, dirty and unrelated records.

Tests of a hundred failures give each a folder of its own on one stage, and compare the folders' snapshots.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

from sluice.contracts.model import SYSTEM_TABLES
from sluice.event_files.ledger.model import (
    CONVERTED,
    DIRTY_PREFIX,
    PENDING,
    UNRELATED_PREFIX,
    chunk_id_of,
    clean_key,
    dirty_key,
)
from tests.support.lake_tables import rows_of
from tests.support.moto.backend import items_of, objects_of
from tests.support.moto.stage import LAKE, LEDGER

Row = dict[str, Any]
Snapshot = dict[str, list[Row]]

SYSTEM = {table.name for table in SYSTEM_TABLES}
"""Names of the tables that hold no clean events."""

_FILE_OF = {"PROFILING_LOG": "event_filename", "DIRTY_EVENTS": "source_key"}
_CHANGES_WITH_EVERY_RUN = ("workflow_run_id", "timestamp")
_CHANGES_WITH_EVERY_CHUNK = {"DIRTY_EVENTS": ("id", "chunk_id", "first_seen")}
_CHANGES_WITH_EVERY_COMMIT = ("recorded_at", "chunks", "message")


def snapshots() -> dict[str, Snapshot]:
    """Return all results by the top folder of their source keys."""
    found: dict[str, Snapshot] = defaultdict(lambda: defaultdict(list))

    def add(part: str, member: str, row: Row) -> None:
        folder, _, rest = row[member].partition("/")
        found[folder][part].append({**row, member: rest})

    for table, rows in tables().items():
        for row in rows:
            add(table, _FILE_OF.get(table, "_source_key"), _without(row, _CHANGES_WITH_EVERY_CHUNK.get(table, ())))
    for item in ledger("source#"):
        add("ledger", "pk", {**_without(item, _CHANGES_WITH_EVERY_COMMIT), "pk": item["pk"].partition("/")[2]})
    for part, prefix in (("dirty", DIRTY_PREFIX), ("unrelated", UNRELATED_PREFIX)):
        for record in committed_records(prefix):
            add(part, "source_key", record)
    return {folder: {part: sorted(rows, key=_text) for part, rows in parts.items()} for folder, parts in found.items()}


def tables() -> dict[str, list[Row]]:
    """Return the rows of all tables with their partition columns; those of the profiling log change with every run."""
    return {
        table: [_without(row, _CHANGES_WITH_EVERY_RUN) for row in rows] if table == "PROFILING_LOG" else rows
        for table, rows in rows_of(LAKE).items()
    }


def ledger(prefix: str = "") -> list[Row]:
    """Return the items of the ledger whose partition key has a prefix."""
    return [item for item in items_of(LEDGER) if item["pk"].startswith(prefix)]


def committed_records(prefix: str) -> list[Row]:
    """Return the dirty or unrelated records of all committed chunks."""
    chunks = {chunk["sk"] for chunk in ledger("chunk#")}
    objects = objects_of(LAKE, prefix).items()
    return [orjson.loads(line) for key, body in objects if chunk_id_of(key) in chunks for line in body.splitlines()]


def assert_books_balance() -> None:
    """Assert that the ledger agrees with itself and with the lake: each event in one chunk, its rows in place."""
    sources, chunks = ledger("source#"), ledger("chunk#")
    by_etag = {(source["pk"], source["etag"]) for source in sources if "etag" in source}  # these have two records
    sources = [source for source in sources if (source["pk"], source["sk"]) not in by_etag]
    ids = {chunk["sk"] for chunk in chunks}
    assert len(ids) == len(chunks), "a chunk is both pending and converted"
    assert {chunk for source in sources for chunk in source["chunks"]} == ids
    assert sum(bool(source["chunks"]) for source in sources) == sum(chunk["files"] for chunk in chunks)
    for count in ("events", "unrelated"):
        assert sum(item[count] for item in sources) == sum(chunk[count] for chunk in chunks)
    assert _sum(source["clean"] for source in sources) == _sum(chunk["clean"] for chunk in chunks)
    by_table = [reasons for chunk in chunks for reasons in chunk["dirty"].values()]
    assert _sum(source["dirty"] for source in sources) == _sum(by_table)
    objects = objects_of(LAKE)
    for chunk in chunks:
        if chunk["pk"] == PENDING:
            _assert_rows_are_there(chunk, objects.get(clean_key(chunk["sk"]), b""))
            assert chunk["dirty_length"] == len(objects.get(dirty_key(chunk["sk"]), b""))
        else:
            assert chunk["pk"] == CONVERTED
            assert clean_key(chunk["sk"]) not in objects


def _assert_rows_are_there(chunk: Row, clean: bytes) -> None:
    end = 0
    for table, offset, length, rows, *_ in chunk["segments"]:
        assert offset == end
        end = offset + length
        lines = clean[offset:end].splitlines(keepends=True)
        assert len(lines) == rows, f"{table}: {rows} rows are recorded, {len(lines)} are there"
        assert all(line.endswith(b"\n") and orjson.loads(line) for line in lines)
    assert end == len(clean)


def _sum(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total


def _without(row: Row, names: Iterable[str]) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _text(row: Row) -> bytes:
    return orjson.dumps(row, default=str, option=orjson.OPT_SORT_KEYS)
