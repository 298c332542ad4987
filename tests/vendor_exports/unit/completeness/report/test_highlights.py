"""Gaps and anomalies: every hour concerned, consecutive ones merged, the newest first."""

import pytest
from hypothesis import given

from sluice.vendor_exports.completeness.report.service_level import Highlight, anomalies, gaps
from sluice.vendor_exports.completeness.slot_history import SchemaChange, SlotHistory
from tests.vendor_exports.unit.completeness.report.slot_rows import absent, histories, row


def said(highlights: list[Highlight]) -> list[tuple[str, str, int, str, tuple[str, ...]]]:
    return [(str(each.first), str(each.last), each.hours, each.what, each.names) for each in highlights]


def test_consecutive_hours_are_one_gap() -> None:
    rows = [absent(0), absent(1), row(2), absent(3), row(4, ["Port"]), row(5, ["Port"]), row(6, ["Cargo", "Port"])]
    assert said(gaps(rows)) == [
        ("20260131-02", "20260131-02", 1, "2 tables missing", ("Cargo", "Port")),
        ("20260131-00", "20260131-01", 2, "1 table missing", ("Port",)),
        ("20260130-23", "20260130-23", 1, "No delivery", ()),
        ("20260130-20", "20260130-21", 2, "No delivery", ()),
    ]


def test_an_hour_without_row_parts_a_gap() -> None:
    assert [each.hours for each in gaps([absent(0), absent(2), absent(3)])] == [2, 1]


@given(histories)
def test_gaps_cover_what_is_out_of_level_and_nothing_else(rows: list[SlotHistory]) -> None:
    found = gaps(rows)
    covered = [each.first.after(hours) for each in found for hours in range(each.hours)]
    assert sorted(covered) == [each.slot for each in rows if not each.delivered or each.missing]
    assert all(each.last == each.first.after(each.hours - 1) for each in found)
    assert [each.last for each in found] == sorted((each.last for each in found), reverse=True)


def test_unexpected_tables_and_schema_changes_are_anomalies() -> None:
    change = SchemaChange(added=("A", "B"), removed=("C",), altered=("D",))
    rows = [row(0, unexpected=["X"]), row(1, unexpected=["X"]), row(2, change=change), row(3)]
    assert {each[2:] for each in said(anomalies(rows))} == {
        (2, "1 table unexpected", ("X",)),
        (1, "2 tables added to the schema", ("A", "B")),
        (1, "1 table removed from the schema", ("C",)),
        (1, "1 table altered in the schema", ("D",)),
    }


@pytest.mark.parametrize(("size", "odd"), [(499, True), (500, False), (2000, False), (2001, True)])
def test_volumes_are_odd_beyond_half_and_double(size: int, odd: bool) -> None:
    assert bool(anomalies([row(size=size, usual=1000)])) is odd


def test_volumes_of_one_side_are_one_range() -> None:
    rows = [row(0, size=100, usual=1000), row(1, size=300, usual=1000), row(2, size=3000, usual=1000)]
    assert said(anomalies(rows)) == [
        ("20260130-22", "20260130-22", 1, "Volume 3.00 times the usual", ()),
        ("20260130-20", "20260130-21", 2, "Volume 0.10 to 0.30 times the usual", ()),
    ]


def test_a_perfect_history_has_no_gap_and_a_gap_or_an_unknown_usual_size_is_not_odd() -> None:
    assert gaps([row(hours) for hours in range(30)]) == []
    assert anomalies([absent(0), row(1), row(2, usual=0)]) == []
