"""The three histories as CSV files for people, and as tables."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sluice.contracts.model import Table
from sluice.lake.parquet import arrow_schema
from sluice.vendor_exports.completeness.history_files import JOB_METRICS_CSV, JOB_SIZE_CSV, TABLE_METRICS_CSV
from sluice.vendor_exports.completeness.slot_history import SlotHistory

_HEADERS = {
    JOB_METRICS_CSV: ("date", "jobDelivered", "JobExpected"),
    TABLE_METRICS_CSV: (
        "date",
        "tablesDelivered",
        "tablesExpected",
        "missingTables",
        "missingTablesList",
        "completenessRatio",
    ),
    JOB_SIZE_CSV: ("date", "size", "files"),
}
CSV_NAMES = tuple(_HEADERS)
"""Names of the three CSV files."""

_FORMULA = ("=", "+", "-", "@", "\N{MINUS SIGN}")  # a spreadsheet runs a cell that begins so, in any width
_REPLACED = "?"


def history_csv(name: str, rows: Iterable[SlotHistory]) -> bytes:
    """Return the rows of one of `CSV_NAMES` as CSV."""
    header = _HEADERS[name]
    cells = [_CELLS.get(column) or _VALUES[column.lower()] for column in header]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(row) for cell in cells] for row in rows)
    return text.getvalue().encode()


def arrow_table(table: Table, rows: Sequence[SlotHistory]) -> pa.Table:
    """Return the rows of one of `HISTORY_TABLES`."""
    columns = {column.name: list(map(_VALUES[column.name], rows)) for column in table.columns}
    return pa.table(columns, schema=arrow_schema(table.columns))


def list_of_names(names: Iterable[str]) -> str:
    """Join names by ``;``, on one line, with no separator in a name and no cell that a spreadsheet runs."""
    return ";".join(map(_harmless, names))


def _harmless(name: str) -> str:
    shown = "".join(sign if sign.isprintable() and sign != ";" else _REPLACED for sign in name)
    return f"'{shown}" if unicodedata.normalize("NFKC", shown).lstrip().startswith(_FORMULA) else shown


_VALUES: Mapping[str, Callable[[SlotHistory], Any]] = {
    "date": lambda row: str(row.slot),
    "slot": lambda row: row.slot.hour,
    "jobdelivered": lambda row: int(row.delivered),
    "jobexpected": lambda _: 1,
    "tablesdelivered": lambda row: row.tables,
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
    "deviation": lambda row: row.size / row.usual_size if row.usual_size else None,
}
_CELLS: Mapping[str, Callable[[SlotHistory], str]] = {
    "completenessRatio": lambda row: f"{row.completeness:.4f}",
    "size": lambda row: f"{row.size // 1000}.{row.size % 1000:03}",  # kB of 1000 bytes, exactly
}
