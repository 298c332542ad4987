"""The CSV files, byte for byte, whatever the tables are called."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.completeness.csvs import job_metrics_csv, job_size_csv, list_of_names, table_metrics_csv
from sluice.vendor_exports.completeness.derive import derive
from tests.vendor_exports.unit.completeness.deliveries import FIRST, seen, slots

FIRST_HOUR, SECOND_HOUR, THIRD_HOUR = slots(3)
ROWS = derive(
    [
        seen(FIRST_HOUR, ["A", "B", "X"], ["A", "B", "C"], size=1_234_567),
        seen(SECOND_HOUR),
        seen(THIRD_HOUR, ["A", "B", "C"], size=5),
    ],
    (),
)


def test_job_metrics() -> None:
    assert job_metrics_csv(ROWS) == (
        b"date,jobDelivered,JobExpected\n20260130-20,1,1\n20260130-21,0,1\n20260130-22,1,1\n"
    )


def test_table_metrics() -> None:
    assert table_metrics_csv(ROWS) == (
        b"date,tablesDelivered,tablesExpected,missingTables,missingTablesList,completenessRatio\n"
        b"20260130-20,2,3,1,C,0.6667\n"
        b"20260130-21,0,3,3,A;B;C,0.0000\n"
        b"20260130-22,3,3,0,,1.0000\n"
    )


def test_job_size() -> None:
    assert job_size_csv(ROWS) == b"date,size,files\n20260130-20,1234.567,3\n20260130-21,0.000,0\n20260130-22,0.005,3\n"


@given(st.integers(0, 10**18))
def test_sizes_are_exact(size: int) -> None:
    (row,) = derive([seen(FIRST, ["A"], size=size)], ())
    whole, digits = job_size_csv([row]).decode().splitlines()[1].split(",")[1].split(".")
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
def test_names(name: str, written: str) -> None:
    assert list_of_names([name]) == written


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_no_name_breaks_a_row(names: list[str]) -> None:
    rows = derive([seen(FIRST_HOUR, [], names), seen(SECOND_HOUR)], ())
    text = table_metrics_csv(rows).decode()
    assert len(text.splitlines()) == 3
    for row, cells in zip(rows, list(csv.reader(io.StringIO(text)))[1:], strict=True):
        assert len(cells) == 6
        listed = cells[4].split(";")
        assert len(listed) == int(cells[3]) == len(row.missing) == len(names)
        assert not any(name.startswith(("=", "+", "-", "@")) for name in listed)


def test_rows_are_in_order() -> None:
    text = job_size_csv(derive([seen(slot) for slot in slots(60)], ())).decode()
    assert all(before < after for before, after in pairwise(text.splitlines()[1:]))
