"""The rows of the three histories as Parquet."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sluice.contracts.model import Table
from sluice.event_files.convert.batches import to_parquet
from sluice.lake.arrow_types import arrow_schema
from sluice.vendor_exports.completeness.csvs import list_of_names
from sluice.vendor_exports.completeness.model import SlotHistory


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
