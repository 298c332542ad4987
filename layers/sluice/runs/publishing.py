"""The table RUNS is made of the records of runs, day by day."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from sluice.contracts.model import Table
from sluice.lake.parquet import arrow_schema
from sluice.runs.records import RunRecords, start_of
from sluice.runs.runs_table import runs_table


class Tables(Protocol):
    """Tables of which partitions are replaced."""

    def publish(self, table: str, made: Callable[[], Mapping[tuple[int, ...], pa.Table]]) -> None:
        """Let the rows of partitions be what is made of their source now. Raises CommitError."""


def publish_runs(records: RunRecords, tables: Tables, record_ids: Iterable[str]) -> None:
    """Bring the days of these records in the table RUNS up to date. Raises CommitError."""
    table = runs_table(records.kinds.values())
    days = {start_of(each).replace(hour=0, minute=0, second=0) for each in record_ids}
    if days:
        tables.publish(
            table.name, lambda: {(day.year, day.month, day.day): _rows(table, records.rows_of(day)) for day in days}
        )


def _rows(table: Table, written: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(map(_row, written)), schema=arrow_schema(table.columns))


def _row(written: Mapping[str, Any]) -> dict[str, Any]:
    start = start_of(written["id"])
    times = {name: datetime.fromisoformat(f"{written[name]}+00:00") for name in ("started_at", "ended_at")}
    return {**written, **times, "year": start.year, "month": start.month, "day": start.day, "hour": start.hour}
