"""The calendar: each day in or out of the service level, a column per week."""

from collections.abc import Sequence
from datetime import date, timedelta

import plotly.graph_objects as go

from sluice.html_report.drawing import BAD, GOOD, Plot, rounded
from sluice.vendor_exports.completeness.report.aggregate import Period
from sluice.vendor_exports.completeness.report.levels import DAY_LEVEL

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORST, _ALMOST = "#8f3b0b", "#f4c9a4"
_SCALE = [[0, _WORST], [0.5, BAD], [DAY_LEVEL - 0.001, _ALMOST], [DAY_LEVEL - 0.001, GOOD], [1, GOOD]]
_HEIGHT = 240
_FEWEST_WEEKS = 13  # a young history does not stretch its few days over the page


def calendar(days: Sequence[Period]) -> Plot:
    """Return the share of each day's jobs in level."""
    by_date = {date.fromisoformat(day.label): day for day in days}
    mondays = _mondays(min(by_date), max(by_date))
    cells = [[by_date.get(monday + timedelta(weekday)) for monday in mondays] for weekday in range(len(_WEEKDAYS))]
    heat = go.Heatmap(
        x=[str(monday) for monday in mondays],
        y=_WEEKDAYS,
        z=[[day and rounded(100 * day.level) for day in row] for row in cells],
        text=[[day and _text(day) for day in row] for row in cells],
        zmin=0,
        zmax=100,
        colorscale=_SCALE,
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{text}<extra></extra>",
    )
    return Plot("level-calendar", "Days in and out of level", go.Figure(heat, _layout()), wide=True)


def _mondays(first: date, last: date) -> list[date]:
    start, end = (day - timedelta(day.weekday()) for day in (first, last))
    weeks = max((end - start).days // 7 + 1, _FEWEST_WEEKS)
    return [end - timedelta(weeks=week) for week in reversed(range(weeks))]


def _text(day: Period) -> str:
    level = "in level" if day.level >= DAY_LEVEL else "out of level"
    return f"{day.label}: {level}<br>{day.in_level} of {day.expected} jobs in level<br>{day.delivered} delivered"


def _layout() -> go.Layout:
    return go.Layout(
        template=go.layout.Template(),
        height=_HEIGHT,
        margin={"l": 44, "r": 12, "t": 12, "b": 52},
        xaxis={"type": "date", "showgrid": False, "title": {"text": "Week (UTC)"}},
        yaxis={"autorange": "reversed", "showgrid": False, "fixedrange": True},
    )
