"""The three histories as tables of the catalog: the CSV files' columns in lower case, then what is unusual."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sluice.contracts.model import Column, Table
from sluice.conversion.arrow import arrow_schema
from sluice.conversion.batches import to_parquet
from sluice.history.csvs import list_of_names
from sluice.history.model import SlotHistory

_DATE = Column("date", (), "string", "Day and hour of the job, UTC, as YYYYMMDD-HH.")
_SLOT = Column("slot", (), "timestamp", "Begin of the hour, UTC.")

HISTORICAL_JOB_METRICS = Table(
    name="HISTORICAL_JOB_METRICS",
    columns=(
        _DATE,
        Column("jobdelivered", (), "int", "1 when any file landed, else 0."),
        Column("jobexpected", (), "int", "Always 1: a job is due every hour."),
        _SLOT,
    ),
    doc="One row per hour: whether the vendor's job delivered.",
)

HISTORICAL_TABLE_METRICS = Table(
    name="HISTORICAL_TABLE_METRICS",
    columns=(
        _DATE,
        Column("tablesdelivered", (), "int", "Expected tables that came."),
        Column("tablesexpected", (), "int", "Tables of the master schema in force, less those out of scope."),
        Column("missingtables", (), "int", "Expected tables that did not come."),
        Column("missingtableslist", (), "string", "Their names, joined by semicolons."),
        Column("completenessratio", (), "double", "Tables delivered by tables expected."),
        _SLOT,
        Column("unexpected_tables", (), "array<string>", "Tables that came without being in the master schema."),
        Column("schema_added", (), "array<string>", "Tables the schema of the job before did not have."),
        Column("schema_removed", (), "array<string>", "Tables only the schema of the job before had."),
        Column("schema_altered", (), "array<string>", "Tables described otherwise than by the job before."),
    ),
    doc="One row per hour: which tables came, which did not, and what changed in the vendor's schema.",
)

HISTORICAL_JOB_SIZE = Table(
    name="HISTORICAL_JOB_SIZE",
    columns=(
        _DATE,
        Column("size", (), "double", "Delivered kB of 1000 bytes."),
        Column("files", (), "int", "Delivered files."),
        _SLOT,
        Column("usual_size_kb", (), "double", "Median kB at this hour of the week before; null while it is unknown."),
        Column("deviation", (), "double", "Size by usual size: 1 is usual, 2 twice as much; null without usual size."),
    ),
    doc="One row per hour: how much was delivered, against what is usual for that hour of the week.",
)

HISTORY_TABLES = (HISTORICAL_JOB_METRICS, HISTORICAL_TABLE_METRICS, HISTORICAL_JOB_SIZE)
"""Tables without partitions, each one Parquet object per environment."""


def history_parquet(table: Table, rows: Sequence[SlotHistory]) -> bytes:
    """Write the rows of one of `HISTORY_TABLES` as Parquet."""
    return to_parquet(arrow_table(table, rows))


def arrow_table(table: Table, rows: Sequence[SlotHistory]) -> pa.Table:
    """Return the rows of one of `HISTORY_TABLES`."""
    columns = {column.name: list(map(_VALUES[column.name], rows)) for column in table.columns}
    return pa.table(columns, schema=arrow_schema(table.columns))


def _deviation(row: SlotHistory) -> float | None:
    return row.size / row.usual_size if row.usual_size else None


_VALUES: Mapping[str, Callable[[SlotHistory], Any]] = {
    "date": lambda row: str(row.slot),
    "slot": lambda row: row.slot.hour,
    "jobdelivered": lambda row: int(row.delivered),
    "jobexpected": lambda _: 1,
    "tablesdelivered": lambda row: len(row.expected) - len(row.missing),
    "tablesexpected": lambda row: len(row.expected),
    "missingtables": lambda row: len(row.missing),
    "missingtableslist": lambda row: list_of_names(row.missing),
    "completenessratio": lambda row: round(row.completeness, 4),
    "unexpected_tables": lambda row: row.unexpected,
    "schema_added": lambda row: row.change.added,
    "schema_removed": lambda row: row.change.removed,
    "schema_altered": lambda row: row.change.altered,
    "size": lambda row: row.size / 1000,
    "files": lambda row: row.files,
    "usual_size_kb": lambda row: None if row.usual_size is None else row.usual_size / 1000,
    "deviation": _deviation,
}
