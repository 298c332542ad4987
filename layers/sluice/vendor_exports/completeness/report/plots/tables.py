"""Completeness of tables: how many of those expected the exports held."""

from collections.abc import Sequence

from sluice.html_report.drawing import BAD, GOOD, Plot, axis, bars, line, over_days, over_hours, rounded, stroke
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.aggregate import Period
from sluice.vendor_exports.completeness.report.plots.notes import note
from sluice.vendor_exports.completeness.report.plots.rows import EXPECTED, PERCENT, hours_of, labels_of, share_bars


def table_plots(rows: Sequence[SlotHistory], days: Sequence[Period]) -> list[Plot]:
    """Return tables delivered by day, their ratio by day, and by hour; and those missing by day and by hour."""
    return [_daily(days), _ratio(days), _hourly(rows), _failures_daily(days), _failures_hourly(rows)]


def _daily(days: Sequence[Period]) -> Plot:
    labels = labels_of(days)
    expected, delivered = [day.tables_expected for day in days], [day.tables_delivered for day in days]
    traces = [
        line(labels, list(map(rounded, expected)), "expected", "%{y} expected", EXPECTED),
        line(labels, list(map(rounded, delivered)), "delivered", "%{y} delivered", stroke(GOOD)),
    ]
    return Plot("tables-daily", "Table completeness, averaged daily", over_days(traces, axis("Tables per hour")))


def _ratio(days: Sequence[Period]) -> Plot:
    traces = [share_bars(days, [day.completeness for day in days], "expected tables")]
    return Plot("table-ratio-daily", "Table completeness ratio, averaged daily", over_days(traces, PERCENT))


def _hourly(rows: Sequence[SlotHistory]) -> Plot:
    hours, notes = hours_of(rows), [note(row) for row in rows]
    expected = [len(row.expected) for row in rows]
    delivered = [len(row.expected) - len(row.missing) for row in rows]
    traces = [
        line(hours, expected, "expected", "%{y} expected", EXPECTED),
        line(hours, delivered, "delivered", "%{y} delivered%{text}", stroke(GOOD), notes),
    ]
    return Plot("tables-hourly", "Table completeness, hourly", over_hours(traces, axis("Tables")), wide=True)


def _failures_daily(days: Sequence[Period]) -> Plot:
    missing = [rounded(day.tables_missing) for day in days]
    traces = [bars(labels_of(days), missing, BAD, "%{y} tables")]
    return Plot("failures-daily", "Missing tables, averaged daily", over_days(traces, axis("Tables per hour")))


def _failures_hourly(rows: Sequence[SlotHistory]) -> Plot:
    missing, notes = [len(row.missing) for row in rows], [note(row) for row in rows]
    steps = stroke(BAD, 1, "hv")
    trace = line(hours_of(rows), missing, "missing", "%{y} tables%{text}", steps, notes, fill="tozeroy")
    return Plot("failures-hourly", "Missing tables, hourly", over_hours([trace], axis("Tables")))
