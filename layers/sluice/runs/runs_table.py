"""The run records as a table of the catalog: a record is one line of JSON, whose members are the columns.

Every figure is a column of its own, so that a question needs no map; what has names of its own, such as tables and
reasons, is an array of structs. Every column is in every record: readers that infer types find them all.
"""

from collections.abc import Mapping
from typing import Any

from sluice.contracts.model import Column, Table
from sluice.runs.model import COUNTS, Kind, RunRecord, Step

_COUNT_DOCS = {
    "files": "Source objects converted.",
    "events": "Clean events converted.",
    "rows": "Rows written.",
    "parquet_files": "Parquet files written.",
    "parquet_bytes": "Bytes of these.",
    "dirty": "Dirty events that arrived with them.",
    "unrelated": "Events of other producers that arrived with them.",
    "unknown_members": "Members no contract knows: drift.",
    "media_missing": "Media that events name and the index lacks.",
    "bytes": "Bytes of the source objects, or bytes an export copied.",
    "promised": "Files the vendor promised.",
    "copied": "Files this run copied.",
    "refetched": "Files of these that needed a further address.",
    "missing": "Promised files that did not arrive.",
    "observed": "Hours the histories were made of.",
}

RUNS = Table(
    name="RUNS",
    columns=(
        Column("id", (), "string", "Kind, start and a digest of the execution."),
        Column("kind", (), "string", "convert, export or history."),
        Column("subject", (), "string", "Run id of a conversion, slot of an export, range of a history."),
        Column("started_by", (), "string", "schedule, or who did it by hand; empty where nobody said so."),
        Column("started_at", (), "timestamp", "Start, UTC."),
        Column("ended_at", (), "timestamp", "End, UTC."),
        Column("seconds", (), "double", "Between them."),
        Column(
            "outcome",
            (),
            "string",
            "converted, nothing_to_do, busy; delivered, incomplete, skipped; initialised; failed, timed_out, aborted.",
        ),
        Column("cause", (), "string", "Why it did not succeed, else empty."),
        Column("failed_step", (), "string", "The state it failed in, else empty."),
        *(Column(name, (), "bigint", f"{doc} 0 in other kinds of runs.") for name, doc in _COUNT_DOCS.items()),
        Column("rows_by_table", (), "array<struct<table_name:string,rows:bigint>>", "Rows written, by table."),
        Column(
            "dirty_by_reason",
            (),
            "array<struct<table_name:string,reason:string,events:bigint>>",
            "Dirty events by table (- where it is unknown) and reason.",
        ),
        Column(
            "steps", (), "array<struct<name:string,seconds:double,failures:int>>", "States, failed attempts in each."
        ),
        Column("links", (), "array<struct<name:string,url:string>>", "Where to look further."),
        Column("execution", (), "string", "ARN of the execution."),
    ),
    doc="One record per run of a machine: who started it, what it did, how long it took, how it ended.",
)


def to_row(record: RunRecord) -> dict[str, Any]:
    """Give a record as a row of the table."""
    counts = dict.fromkeys(_COUNT_DOCS, 0) | dict(record.counts)
    row = {
        **record.to_json(),
        "started_at": _sql_time(record.started_at),
        "ended_at": _sql_time(record.ended_at),
        **counts,
        "rows_by_table": [{"table_name": table, "rows": rows} for table, rows in record.rows.items()],
        "dirty_by_reason": [
            {"table_name": table, "reason": reason, "events": events}
            for table, reasons in record.dirty.items()
            for reason, events in reasons.items()
        ],
        "links": [{"name": name, "url": url} for name, url in record.links.items()],
    }
    return {column.name: row[column.name] for column in RUNS.columns}


def from_row(row: Mapping[str, Any]) -> RunRecord:
    """Read what `to_row` gave."""
    kind = Kind(row["kind"])
    dirty: dict[str, dict[str, int]] = {}
    for each in row["dirty_by_reason"]:
        dirty.setdefault(each["table_name"], {})[each["reason"]] = each["events"]
    plain = ("id", "subject", "started_by", "seconds", "outcome", "cause", "failed_step", "execution")
    return RunRecord(
        **{name: row[name] for name in plain},
        kind=kind,
        started_at=_iso_time(row["started_at"]),
        ended_at=_iso_time(row["ended_at"]),
        counts={name: row[name] for name in COUNTS[kind]},
        rows={each["table_name"]: each["rows"] for each in row["rows_by_table"]},
        dirty=dirty,
        steps=tuple(Step(**step) for step in row["steps"]),
        links={each["name"]: each["url"] for each in row["links"]},
    )


def _sql_time(iso: str) -> str:
    """Write a time as Athena reads it from JSON: without letters, in UTC."""
    return iso.replace("T", " ").removesuffix("Z")


def _iso_time(sql: str) -> str:
    return f"{sql.replace(' ', 'T')}Z"
