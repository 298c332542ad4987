"""The run records as a table of the catalog: a record is one line of JSON, whose members are the columns.

Every figure is a column of its own, so that a question needs no map; what has names of its own, such as tables and
reasons, is an array of structs. Every column is in every record: readers that infer types find them all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sluice.contracts.model import Column, Table
from sluice.runs.model import UNFINISHED, RunKind, RunRecord, Step


def runs_table(kinds: Iterable[RunKind]) -> Table:
    """Return the table of the records of these kinds of runs: it has a column for each count of any of them."""
    kinds = tuple(kinds)
    outcomes = "; ".join(", ".join(names) for names in (*(kind.outcomes for kind in kinds), UNFINISHED))
    counts = {
        name: " ".join(dict.fromkeys(kind.counts[name] for kind in kinds if name in kind.counts))
        for name in _count_names(kinds)
    }
    return Table(
        name="RUNS",
        columns=(
            Column("id", (), "string", "Kind, start and a digest of the execution."),
            Column("kind", (), "string", f"{', '.join(kind.name for kind in kinds)}."),
            Column("subject", (), "string", "Run id of a conversion, slot of an export, and the like."),
            Column("started_by", (), "string", "schedule, or who started it by hand; empty if unknown."),
            Column("started_at", (), "timestamp", "Start, UTC."),
            Column("ended_at", (), "timestamp", "End, UTC."),
            Column("seconds", (), "double", "Between them."),
            Column("outcome", (), "string", f"{outcomes}."),
            Column("cause", (), "string", "Why it did not succeed, else empty."),
            Column("failed_step", (), "string", "The state it failed in, else empty."),
            *(Column(name, (), "bigint", f"{doc} 0 in other kinds of runs.") for name, doc in counts.items()),
            Column("rows_by_table", (), "array<struct<table_name:string,rows:bigint>>", "Rows written, by table."),
            Column(
                "dirty_by_reason",
                (),
                "array<struct<table_name:string,reason:string,events:bigint>>",
                "Dirty events by table (- where it is unknown) and reason.",
            ),
            Column(
                "steps",
                (),
                "array<struct<name:string,seconds:double,failures:int>>",
                "States, failed attempts in each.",
            ),
            Column("links", (), "array<struct<name:string,url:string>>", "Where to look further."),
            Column("execution", (), "string", "ARN of the execution."),
        ),
        doc="One record per run of a machine: who started it, what it did, how long it took, how it ended.",
    )


def to_row(record: RunRecord, kinds: Iterable[RunKind]) -> dict[str, Any]:
    """Return a record as a row of the table."""
    row = {
        **asdict(record),
        "started_at": _sql_time(record.started_at),
        "ended_at": _sql_time(record.ended_at),
        **{name: record.counts.get(name, 0) for name in _count_names(kinds)},
        "rows_by_table": [{"table_name": table, "rows": rows} for table, rows in record.rows.items()],
        "dirty_by_reason": [
            {"table_name": table, "reason": reason, "events": events}
            for table, reasons in record.dirty.items()
            for reason, events in reasons.items()
        ],
        "links": [{"name": name, "url": url} for name, url in record.links.items()],
    }
    return {column.name: row[column.name] for column in runs_table(kinds).columns}


def from_row(row: Mapping[str, Any], kinds: Mapping[str, RunKind]) -> RunRecord:
    """Return the record that `to_row` wrote; one of a kind that is registered no more has no counts."""
    dirty: dict[str, dict[str, int]] = {}
    for each in row["dirty_by_reason"]:
        dirty.setdefault(each["table_name"], {})[each["reason"]] = each["events"]
    plain = ("id", "kind", "subject", "started_by", "seconds", "outcome", "cause", "failed_step", "execution")
    return RunRecord(
        **{name: row[name] for name in plain},
        started_at=_iso_time(row["started_at"]),
        ended_at=_iso_time(row["ended_at"]),
        counts={name: row[name] for name in kinds[row["kind"]].counts} if row["kind"] in kinds else {},
        rows={each["table_name"]: each["rows"] for each in row["rows_by_table"]},
        dirty=dirty,
        steps=tuple(Step(**step) for step in row["steps"]),
        links={each["name"]: each["url"] for each in row["links"]},
    )


def _count_names(kinds: Iterable[RunKind]) -> list[str]:
    return list(dict.fromkeys(name for kind in kinds for name in kind.counts))


def _sql_time(iso: str) -> str:
    """Write a time as Athena reads it from JSON: without letters, in UTC."""
    return iso.replace("T", " ").removesuffix("Z")


def _iso_time(sql: str) -> str:
    return f"{sql.replace(' ', 'T')}Z"
