"""Completeness of jobs: did the hour's export come at all."""

from collections.abc import Sequence

import plotly.graph_objects as go

from sluice.html_report.drawing import BAD, GOOD, Plot, axis, line, over_days, over_hours, rounded, stroke
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.aggregate import Period
from sluice.vendor_exports.completeness.report.plots.notes import note
from sluice.vendor_exports.completeness.report.plots.rows import EXPECTED, PERCENT, hours_of, labels_of, share_bars

_OF_ONE = {"range": [0, 1.1]}


def job_plots(rows: Sequence[SlotHistory], days: Sequence[Period]) -> list[Plot]:
    """Return jobs delivered by day, their ratio by day, and by hour."""
    return [_daily(days), _ratio(days), _hourly(rows)]


def _daily(days: Sequence[Period]) -> Plot:
    labels = labels_of(days)
    traces = [
        line(labels, [1] * len(days), "expected", "%{y} expected", EXPECTED),
        line(labels, [rounded(day.success) for day in days], "delivered", "%{y} delivered", stroke(GOOD)),
    ]
    return Plot("jobs-daily", "Job completeness, averaged daily", over_days(traces, axis("Jobs per hour", **_OF_ONE)))


def _ratio(days: Sequence[Period]) -> Plot:
    traces = [share_bars(days, [day.success for day in days], "expected jobs")]
    return Plot("job-ratio-daily", "Job completeness ratio, averaged daily", over_days(traces, PERCENT))


def _hourly(rows: Sequence[SlotHistory]) -> Plot:
    delivered, notes = [int(row.delivered) for row in rows], [note(row) for row in rows]
    steps = stroke(GOOD, 1, "hv")
    trace = line(hours_of(rows), delivered, "delivered", "%{y} of 1 delivered%{text}", steps, notes, fill="tozeroy")
    figure = over_hours([trace, _absent(rows)], axis("Jobs", **_OF_ONE, tickvals=[0, 1]))
    return Plot("jobs-hourly", "Job completeness, hourly (out of 1)", figure, wide=True)


def _absent(rows: Sequence[SlotHistory]) -> go.Scatter:
    hours = hours_of([row for row in rows if not row.delivered])
    marker = {"color": BAD, "size": 7, "symbol": "x"}
    return go.Scatter(
        x=hours,
        y=[0] * len(hours),
        name="not delivered",
        mode="markers",
        marker=marker,
        hoverinfo="skip",
        cliponaxis=False,
    )
