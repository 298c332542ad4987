"""CSV files and Parquet hold the same rows, whatever the tables are called."""

import csv
import io
from datetime import UTC

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.contracts.model import Table, parse_hive
from sluice.lake.parquet import to_parquet
from sluice.vendor_exports.completeness.history_files import (
    HISTORICAL_JOB_METRICS,
    HISTORICAL_JOB_SIZE,
    HISTORICAL_TABLE_METRICS,
    HISTORY_TABLES,
    JOB_METRICS_CSV,
    JOB_SIZE_CSV,
    TABLE_METRICS_CSV,
)
from sluice.vendor_exports.completeness.history_formats import (
    CSV_NAMES,
    arrow_table,
    history_csv,
    list_of_names,
)
from sluice.vendor_exports.completeness.slot_history import derive
from tests.vendor_exports.unit.completeness.deliveries import FIRST, seen, slots

WEEK = 7 * 24
THREE_HOURS = derive(
    [
        seen(FIRST, ["A", "B", "X"], ["A", "B", "C"], size=1_234_567),
        seen(FIRST.after()),
        seen(FIRST.after(2), ["A", "B", "C"], size=5),
    ],
    (),
)
OBSERVATIONS = [seen(slot) for slot in slots(4 * WEEK)]
for week in range(4):
    OBSERVATIONS[week * WEEK] = seen(FIRST.after(week * WEEK), ["A", "=X"], ["A", "B"], size=1000 * 2**week)
OBSERVATIONS[1] = seen(FIRST.after(), ["A"], [("A", "1"), "C"], size=1)
FOUR_WEEKS = derive(OBSERVATIONS, ())


# CSV


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (JOB_METRICS_CSV, b"date,jobDelivered,JobExpected\n20260130-20,1,1\n20260130-21,0,1\n20260130-22,1,1\n"),
        (
            TABLE_METRICS_CSV,
            (
                b"date,tablesDelivered,tablesExpected,missingTables,missingTablesList,completenessRatio\n"
                b"20260130-20,2,3,1,C,0.6667\n"
                b"20260130-21,0,3,3,A;B;C,0.0000\n"
                b"20260130-22,3,3,0,,1.0000\n"
            ),
        ),
        (JOB_SIZE_CSV, b"date,size,files\n20260130-20,1234.567,3\n20260130-21,0.000,0\n20260130-22,0.005,3\n"),
    ],
)
def test_csv_files_byte_for_byte(name: str, written: bytes) -> None:
    assert history_csv(name, THREE_HOURS) == written


@given(st.integers(0, 10**18))
def test_sizes_are_exact(size: int) -> None:
    (row,) = derive([seen(FIRST, ["A"], size=size)], ())
    whole, digits = history_csv(JOB_SIZE_CSV, [row]).decode().splitlines()[1].split(",")[1].split(".")
    assert (int(whole + digits), len(digits)) == (size, 3)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Voyage.Leg-1$", "Voyage.Leg-1$"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "?=1"),
        ("a;b\nc\r\x00\u2028d", "a?b?c???d"),
    ],
)
def test_names_are_harmless(name: str, written: str) -> None:
    assert list_of_names([name]) == written


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_no_name_breaks_a_row(names: list[str]) -> None:
    rows = derive([seen(FIRST, [], names), seen(FIRST.after())], ())
    text = history_csv(TABLE_METRICS_CSV, rows).decode()
    assert len(text.splitlines()) == 3
    for row, cells in zip(rows, list(csv.reader(io.StringIO(text)))[1:], strict=True):
        assert len(cells) == 6
        listed = cells[4].split(";")
        assert len(listed) == int(cells[3]) == len(row.missing) == len(names)
        assert not any(name.startswith(("=", "+", "-", "@")) for name in listed)


# Parquet


@pytest.mark.parametrize(("table", "name"), list(zip(HISTORY_TABLES, CSV_NAMES, strict=True)), ids=CSV_NAMES)
def test_the_columns_of_the_csv_file_come_first(table: Table, name: str) -> None:
    written = pyarrow.csv.read_csv(
        io.BytesIO(history_csv(name, FOUR_WEEKS)),
        convert_options=pyarrow.csv.ConvertOptions(column_types={"missingTablesList": pa.string()}),
    )
    names = [name.lower() for name in written.column_names]
    assert arrow_table(table, FOUR_WEEKS).column_names[: len(names)] == names
    ours = arrow_table(table, FOUR_WEEKS).select(names).to_pydict()
    assert list(ours.values()) == [column.to_pylist() for column in written.columns]


@pytest.mark.parametrize("table", HISTORY_TABLES, ids=lambda table: table.name)
def test_parquet_holds_the_rows_in_columns_described_for_the_catalog(table: Table) -> None:
    for column in table.columns:
        assert (str(parse_hive(column.type)), column.name) == (column.type, column.name.lower())
        assert column.doc
    body = to_parquet(arrow_table(table, FOUR_WEEKS))
    assert pq.read_table(pa.BufferReader(body)).equals(arrow_table(table, FOUR_WEEKS))


def test_slots_are_timestamps() -> None:
    times = arrow_table(HISTORICAL_JOB_METRICS, FOUR_WEEKS)["slot"].to_pylist()
    assert [at.astimezone(UTC) for at in times] == [row.slot.hour for row in FOUR_WEEKS]


def test_unexpected_tables_and_changes_of_the_schema() -> None:
    rows = arrow_table(HISTORICAL_TABLE_METRICS, FOUR_WEEKS).to_pylist()
    assert (rows[0]["unexpected_tables"], rows[0]["schema_added"]) == (["=X"], [])
    assert [rows[1][f"schema_{what}"] for what in ("added", "removed", "altered")] == [["C"], ["B"], ["A"]]
    assert rows[2]["missingtableslist"] == "A;C"


def test_usual_sizes_and_deviations() -> None:
    rows = arrow_table(HISTORICAL_JOB_SIZE, FOUR_WEEKS).to_pylist()[::WEEK]
    assert [row["usual_size_kb"] for row in rows] == [None, None, None, 2.0]
    assert [row["deviation"] for row in rows] == [None, None, None, 4.0]


def test_jobs_of_empty_files_have_a_usual_size_and_no_deviation() -> None:
    rows = derive([seen(FIRST.after(week * WEEK), ["A"]) for week in range(4)], ())
    last = arrow_table(HISTORICAL_JOB_SIZE, rows).to_pylist()[-1]
    assert (last["usual_size_kb"], last["deviation"]) == (0.0, None)
