"""Days, months and the spans of the headline are sums of their hours."""

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given

from sluice.vendor_exports.completeness.report.service_level import Period, daily, latest, monthly
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from tests.vendor_exports.unit.completeness.report.slot_rows import absent, histories, row


def assert_sums_up(period: Period, rows: list[SlotHistory]) -> None:
    """Compare a period with a plain calculation."""
    hours = len(rows)
    came = [0.0 if not each.delivered else (4 - len(each.missing)) / 4 for each in rows]
    assert period.expected == hours
    assert period.delivered == len([each for each in rows if each.delivered])
    assert period.in_level == len([each for each in rows if each.delivered and not each.missing])
    assert period.out_of_level == hours - period.in_level
    assert period.tables_expected == 4
    assert period.tables_delivered == pytest.approx(4 * sum(came) / hours)
    assert period.tables_missing == pytest.approx(4 - 4 * sum(came) / hours)
    assert period.completeness == pytest.approx(sum(came) / hours)
    assert period.size == pytest.approx(sum(each.size for each in rows) / hours)
    assert period.success == period.delivered / hours
    assert period.level == period.in_level / hours


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
    for span, hours in zip(spans, (24, 168, 720), strict=True):
        assert_sums_up(span, [each for each in rows if end - each.slot.hour < timedelta(hours=hours)])
    assert_sums_up(ever, rows)


def test_a_day_that_has_just_begun_expects_only_its_hours() -> None:
    before, today = daily([row(2), absent(3), row(4), row(5, ["Port"])])
    assert (before.label, before.expected, before.success) == ("2026-01-30", 2, 0.5)
    assert (today.label, today.expected, today.success, today.level) == ("2026-01-31", 2, 1.0, 0.5)
