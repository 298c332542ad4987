"""The tables of the catalog: the CSV files' values, typed, and the anomalies behind them."""

import io
from datetime import UTC

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from sluice.contracts.hive import parse_hive
from sluice.contracts.model import Table
from sluice.vendor_exports.completeness import csvs
from sluice.vendor_exports.completeness.catalog import (
    HISTORICAL_JOB_METRICS,
    HISTORICAL_JOB_SIZE,
    HISTORICAL_TABLE_METRICS,
    HISTORY_TABLES,
)
from sluice.vendor_exports.completeness.derive import derive
from sluice.vendor_exports.completeness.tables import arrow_table, history_parquet
from tests.vendor_exports.unit.completeness.deliveries import FIRST, seen, slots

WEEK = 7 * 24
OBSERVATIONS = [seen(slot) for slot in slots(4 * WEEK)]
for week in range(4):
    OBSERVATIONS[week * WEEK] = seen(FIRST.after(week * WEEK), ["A", "=X"], ["A", "B"], size=1000 * 2**week)
OBSERVATIONS[1] = seen(FIRST.after(), ["A"], [("A", "1"), "C"], size=1)
ROWS = derive(OBSERVATIONS, ())
SAME_AS_CSV = {
    HISTORICAL_JOB_METRICS: csvs.job_metrics_csv,
    HISTORICAL_TABLE_METRICS: csvs.table_metrics_csv,
    HISTORICAL_JOB_SIZE: csvs.job_size_csv,
}


@pytest.mark.parametrize("table", HISTORY_TABLES, ids=lambda table: table.name)
def test_the_columns_of_the_csv_file_come_first(table: Table) -> None:
    written = pyarrow.csv.read_csv(
        io.BytesIO(SAME_AS_CSV[table](ROWS)),
        convert_options=pyarrow.csv.ConvertOptions(column_types={"missingTablesList": pa.string()}),
    )
    names = [name.lower() for name in written.column_names]
    assert arrow_table(table, ROWS).column_names[: len(names)] == names
    ours = arrow_table(table, ROWS).select(names).to_pydict()
    assert list(ours.values()) == [column.to_pylist() for column in written.columns]


@pytest.mark.parametrize("table", HISTORY_TABLES, ids=lambda table: table.name)
def test_columns_are_described_for_the_catalog(table: Table) -> None:
    assert all(column.doc and str(parse_hive(column.type)) == column.type for column in table.columns)
    assert all(column.name == column.name.lower() for column in table.columns)


@pytest.mark.parametrize("table", HISTORY_TABLES, ids=lambda table: table.name)
def test_parquet_holds_the_rows(table: Table) -> None:
    body = history_parquet(table, ROWS)
    assert body == history_parquet(table, list(ROWS))
    assert pq.read_table(pa.BufferReader(body)).equals(arrow_table(table, ROWS))
    assert pq.read_table(pa.BufferReader(history_parquet(table, []))).num_rows == 0


def test_slots_are_timestamps() -> None:
    assert [at.astimezone(UTC) for at in arrow_table(HISTORICAL_JOB_METRICS, ROWS)["slot"].to_pylist()] == [
        row.slot.hour for row in ROWS
    ]


def test_anomalies_of_tables() -> None:
    rows = arrow_table(HISTORICAL_TABLE_METRICS, ROWS).to_pylist()
    assert (rows[0]["unexpected_tables"], rows[0]["schema_added"]) == (["=X"], [])
    assert [rows[1][f"schema_{what}"] for what in ("added", "removed", "altered")] == [["C"], ["B"], ["A"]]
    assert rows[2]["missingtableslist"] == "A;C"


def test_anomalies_of_sizes() -> None:
    rows = arrow_table(HISTORICAL_JOB_SIZE, ROWS).to_pylist()[::WEEK]
    assert [row["usual_size_kb"] for row in rows] == [None, None, None, 2.0]
    assert [row["deviation"] for row in rows] == [None, None, None, 4.0]


def test_nothing_is_usual() -> None:
    """Jobs of empty files have a usual size, but nothing deviates from it by a ratio."""
    rows = derive([seen(FIRST.after(week * WEEK), ["A"]) for week in range(4)], ())
    last = arrow_table(HISTORICAL_JOB_SIZE, rows).to_pylist()[-1]
    assert (last["usual_size_kb"], last["deviation"]) == (0.0, None)
