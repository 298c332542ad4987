"""The run records as a table of the catalog: a record is a row, its members are the columns.

Every figure is a column of its own, so that a question needs no map; what has names of its own, such as tables and
reasons, is an array of structs. Every column is in every record: readers that infer types find them all.
"""

from collections.abc import Iterable
from itertools import chain

from sluice.contracts.model import PARTITION_KEYS, Column, Table
from sluice.runs.model import UNFINISHED, RunKind
from sluice.runs.records import count_names

RUNS = "RUNS"
HOUR_OF_START = tuple(Column(key, (), "int", "Of the run's start, UTC.") for key in PARTITION_KEYS)
"""Columns that follow the record's own; a day's rows are one file, which is replaced with each run of the day."""


def runs_table(kinds: Iterable[RunKind]) -> Table:
    """Return the table of the records of these kinds of runs: it has a column for each count of any of them."""
    kinds = tuple(kinds)
    outcomes = ", ".join(dict.fromkeys(chain(*(kind.outcomes for kind in kinds), UNFINISHED)))
    counts = {
        name: " ".join(dict.fromkeys(kind.counts[name] for kind in kinds if name in kind.counts))
        for name in count_names(kinds)
    }
    return Table(
        name=RUNS,
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
            *HOUR_OF_START,
        ),
        doc="One record per run of a machine: who started it, what it did, how long it took, how it ended.",
        partition=HOUR_OF_START[:3],
    )
