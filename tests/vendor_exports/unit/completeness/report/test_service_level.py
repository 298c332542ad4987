"""Days, months and the spans of the headline are sums of their hours; gaps and anomalies are some of them."""

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given

from sluice.vendor_exports.completeness.report.highlights import Highlight, anomalies, lost_hours, missing_tables
from sluice.vendor_exports.completeness.report.service_level import Period, daily, latest, monthly
from sluice.vendor_exports.completeness.slot_history import SchemaChange, SlotHistory
from tests.vendor_exports.unit.completeness.report.slot_rows import absent, histories, row


def assert_sums_up(period: Period, rows: list[SlotHistory]) -> None:
    """Compare a period with a plain calculation."""
    hours = len(rows)
    came = [0.0 if not each.delivered else (4 - len(each.missing)) / 4 for each in rows]
    assert period.expected == hours
    assert period.delivered == len([each for each in rows if each.delivered])
    assert period.on_target == len([each for each in rows if each.delivered and not each.missing])
    assert period.off_target == hours - period.on_target
    assert period.tables_expected == 4
    assert period.tables_delivered == pytest.approx(4 * sum(came) / hours)
    assert period.tables_missing == pytest.approx(4 - 4 * sum(came) / hours)
    assert period.completeness == pytest.approx(sum(came) / hours)
    assert period.size == pytest.approx(sum(each.size for each in rows) / hours)
    assert period.success == period.delivered / hours
    assert period.share == period.on_target / hours


def by_text(rows: list[SlotHistory], length: int) -> dict[str, list[SlotHistory]]:
    found = defaultdict(list)
    for each in rows:
        found[str(each.slot)[:length]].append(each)
    return found


@given(histories)
def test_days_and_months_are_sums_of_their_hours(rows: list[SlotHistory]) -> None:
    for periods, length in ((daily(rows), len("20260131")), (monthly(rows), len("202601"))):
        expected = by_text(rows, length)
        assert [period.label.replace("-", "") for period in periods] == list(expected)
        for period in periods:
            assert_sums_up(period, expected[period.label.replace("-", "")])


@given(histories)
def test_spans_end_with_the_last_slot(rows: list[SlotHistory]) -> None:
    end = rows[-1].slot.hour
    *spans, ever = latest(rows)
    windows = [hours for hours in (24, 168, 720) if end - rows[0].slot.hour >= timedelta(hours=hours)]
    for span, hours in zip(spans, windows, strict=True):
        assert_sums_up(span, [each for each in rows if end - each.slot.hour < timedelta(hours=hours)])
    assert_sums_up(ever, rows)


def test_a_day_that_has_just_begun_expects_only_its_hours() -> None:
    before, today = daily([row(2), absent(3), row(4), row(5, ["Port"])])
    assert (before.label, before.expected, before.success) == ("2026-01-30", 2, 0.5)
    assert (today.label, today.expected, today.success, today.share) == ("2026-01-31", 2, 1.0, 0.5)


# Gaps and anomalies: every hour concerned, consecutive ones merged; the heaviest gaps and the newest anomalies first


def said(highlights: list[Highlight]) -> list[tuple[str, str, int, str, tuple[str, ...]]]:
    return [(str(each.first), str(each.last), each.hours, each.what, each.names) for each in highlights]


def test_lost_hours_and_missing_tables_are_apart_and_the_heaviest_first() -> None:
    one, both = ["Port"], ["Cargo", "Port"]
    rows = [absent(0), absent(1), row(2, one), absent(3), row(4, one), row(5, both), row(6, one), row(7), row(8, both)]
    assert said(lost_hours(rows)) == [
        ("20260130-20", "20260130-21", 2, "No delivery", ()),
        ("20260130-23", "20260130-23", 1, "No delivery", ()),
    ]
    assert said(missing_tables(rows)) == [
        ("20260131-00", "20260131-02", 3, "1 table missing", ("Port",)),
        ("20260131-04", "20260131-04", 1, "2 tables missing", ("Cargo", "Port")),
        ("20260131-01", "20260131-01", 1, "1 table missing", ("Cargo",)),
        ("20260130-22", "20260130-22", 1, "1 table missing", ("Port",)),
    ]


def test_an_hour_without_row_parts_a_gap() -> None:
    assert [each.hours for each in lost_hours([absent(0), absent(2), absent(3)])] == [2, 1]


@given(histories)
def test_gaps_cover_what_is_off_target_and_nothing_else(rows: list[SlotHistory]) -> None:
    lost, lacking = lost_hours(rows), missing_tables(rows)
    hours = [each.first.after(number) for each in lost for number in range(each.hours)]
    tables = [
        (each.first.after(number), name) for each in lacking for number in range(each.hours) for name in each.names
    ]
    assert sorted(hours) == [each.slot for each in rows if not each.delivered]
    assert sorted(tables) == [(each.slot, name) for each in rows if each.delivered for name in each.missing]
    assert all(each.last == each.first.after(each.hours - 1) for each in (*lost, *lacking))
    weights = [each.hours * len(each.names) for each in lacking]
    assert weights == sorted(weights, reverse=True)


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
    assert lost_hours([row(hours) for hours in range(30)]) == missing_tables([row(0), absent(1)]) == []
    assert anomalies([absent(0), row(1), row(2, usual=0)]) == []
