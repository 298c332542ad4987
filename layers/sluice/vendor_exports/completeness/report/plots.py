"""The plots of the report: volume, jobs, tables, and the calendar of days on and off target."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import plotly.graph_objects as go

from sluice.html_report.plots import BAD, GOOD, QUIET, Plot, axis, bars, line, over_days, over_hours, rounded, stroke
from sluice.html_report.text import in_hover
from sluice.observability.formatting import unit_of
from sluice.vendor_exports.completeness.report.service_level import DAY_TARGET, Period
from sluice.vendor_exports.completeness.slot_history import SlotHistory

_NO_DELIVERY = "<br>no delivery"
_PERCENT = {"title": {"text": "Delivered"}, "range": [0, 104], "ticksuffix": " %"}
_EXPECTED = {"color": QUIET, "width": 1.5, "dash": "dot"}
_OF_ONE = {"range": [0, 1.1]}

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORST, _ALMOST = "#8f3b0b", "#f4c9a4"
_SCALE = [[0, _WORST], [0.5, BAD], [DAY_TARGET - 0.001, _ALMOST], [DAY_TARGET - 0.001, GOOD], [1, GOOD]]
_HEIGHT = 240
_PAGE_WEEKS = 13  # a young history does not stretch its few weeks over the page
_MOST_LABELS = 5  # have room side by side on a phone


def plots_by_topic(rows: Sequence[SlotHistory], days: Sequence[Period]) -> dict[str, list[Plot]]:
    """Return the ten plots of hours and days by topic; the rows are in the order of their slots."""
    return {"Volume": _volume(rows), "Jobs": _jobs(rows, days), "Tables": _tables(rows, days)}


def calendar(days: Sequence[Period]) -> Plot:
    """Return the share of each day's jobs on target."""
    by_date = {date.fromisoformat(day.label): day for day in days}
    mondays = _mondays(min(by_date), max(by_date))
    cells = [[by_date.get(monday + timedelta(weekday)) for monday in mondays] for weekday in range(len(_WEEKDAYS))]
    heat = go.Heatmap(
        x=[str(monday) for monday in mondays],
        y=_WEEKDAYS,
        z=[[day and rounded(100 * day.share) for day in row] for row in cells],
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
    return Plot(
        "target-calendar",
        "Days on target, in weeks by their Mondays (UTC)",
        go.Figure(heat, _layout(mondays)),
        wide=True,
    )


def _volume(rows: Sequence[SlotHistory]) -> list[Plot]:
    hours, notes = _hours(rows), [_short_note(row) for row in rows]
    unit, of = unit_of(max(row.size for row in rows))
    sizes = [rounded(row.size / of) for row in rows]
    usual = [None if row.usual_size is None else rounded(row.usual_size / of) for row in rows]
    count = line(hours, [row.files for row in rows], "files", "%{y} files%{text}", stroke(GOOD), notes)
    volumes = [
        line(hours, usual, "usual", f"usual %{{y:,.3~f}} {unit}", stroke(QUIET, 0), fill="tozeroy"),
        line(hours, sizes, "delivered", f"%{{y:,.3~f}} {unit}%{{text}}", stroke(GOOD), notes),
    ]
    title = "Size delivered, hourly, and the usual"
    return [
        Plot("files-hourly", "Files delivered, hourly", over_hours([count], axis("Files"))),
        Plot("size-hourly", title, over_hours(volumes, axis(f"Size ({unit})"))),
    ]


def _jobs(rows: Sequence[SlotHistory], days: Sequence[Period]) -> list[Plot]:
    success = [day.success for day in days]
    daily = over_days(_against_expected(days, [1] * len(days), success), axis("Jobs per hour", **_OF_ONE))
    ratio = over_days([_share_bars(days, success, "expected jobs")], _PERCENT)
    came = _steps(rows, [int(row.delivered) for row in rows], "delivered", "%{y} of 1 delivered", GOOD)
    hourly = over_hours([came, _absent(rows)], axis("Jobs", **_OF_ONE, tickvals=[0, 1]))
    return [
        Plot("jobs-daily", "Job completeness, averaged daily", daily),
        Plot("job-ratio-daily", "Job completeness ratio, averaged daily", ratio),
        Plot("jobs-hourly", "Job completeness, hourly (out of 1)", hourly, wide=True),
    ]


def _tables(rows: Sequence[SlotHistory], days: Sequence[Period]) -> list[Plot]:
    hours, notes = _hours(rows), [_note(row) for row in rows]
    expected = [rounded(day.tables_expected) for day in days]
    daily = over_days(
        _against_expected(days, expected, [day.tables_delivered for day in days]), axis("Tables per hour")
    )
    ratio = over_days([_share_bars(days, [day.completeness for day in days], "expected tables")], _PERCENT)
    hourly = [
        line(hours, [len(row.expected) for row in rows], "expected", "%{y} expected", _EXPECTED),
        line(hours, [row.tables for row in rows], "delivered", "%{y} delivered%{text}", stroke(GOOD), notes),
    ]
    missing = bars(_labels(days), [rounded(day.tables_missing) for day in days], BAD, "%{y} tables")
    missing_hourly = _steps(rows, [len(row.missing) for row in rows], "missing", "%{y} tables", BAD)
    return [
        Plot("tables-daily", "Table completeness, averaged daily", daily),
        Plot("table-ratio-daily", "Table completeness ratio, averaged daily", ratio),
        Plot("tables-hourly", "Table completeness, hourly", over_hours(hourly, axis("Tables")), wide=True),
        Plot("failures-daily", "Missing tables, averaged daily", over_days([missing], axis("Tables per hour"))),
        Plot("failures-hourly", "Missing tables, hourly", over_hours([missing_hourly], axis("Tables"))),
    ]


# Traces, labels and notes


def _steps(rows: Sequence[SlotHistory], values: Sequence[int], name: str, hover: str, colour: str) -> go.Scatter:
    """Return a filled line of steps that notes each hour's missing tables."""
    notes = [_note(row) for row in rows]
    return line(_hours(rows), values, name, f"{hover}%{{text}}", stroke(colour, 1, "hv"), notes, fill="tozeroy")


def _absent(rows: Sequence[SlotHistory]) -> go.Scatter:
    hours = _hours([row for row in rows if not row.delivered])
    return go.Scatter(
        x=hours,
        y=[0] * len(hours),
        name="not delivered",
        mode="markers",
        marker={"color": BAD, "size": 7, "symbol": "x"},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _against_expected(
    days: Sequence[Period], expected: Sequence[float], delivered: Sequence[float]
) -> list[go.Scatter]:
    labels = _labels(days)
    return [
        line(labels, expected, "expected", "%{y} expected", _EXPECTED),
        line(labels, [rounded(value) for value in delivered], "delivered", "%{y} delivered", stroke(GOOD)),
    ]


def _share_bars(days: Sequence[Period], shares: Sequence[float], of_what: str) -> go.Bar:
    """Return each day's share as a percentage, coloured by whether it reaches a day's target."""
    colours = [GOOD if share >= DAY_TARGET else BAD for share in shares]
    percentages = [rounded(100 * share) for share in shares]
    return bars(_labels(days), percentages, colours, f"%{{y}} of the {of_what} delivered")


def _hours(rows: Iterable[SlotHistory]) -> list[str]:
    """Return the rows' hours as Plotly reads them, UTC."""
    return [f"{row.slot.hour:%Y-%m-%d %H:00}" for row in rows]


def _labels(days: Sequence[Period]) -> list[str]:
    return [day.label for day in days]


def _note(row: SlotHistory) -> str:
    """Return a hover text that names the missing tables; empty if all came."""
    if not row.delivered:
        return _NO_DELIVERY
    return f"<br>missing: {in_hover(row.missing)}" if row.missing else ""


def _short_note(row: SlotHistory) -> str:
    """Return a hover text with the number of missing tables; empty if all came."""
    if not row.delivered:
        return _NO_DELIVERY
    return f"<br>{len(row.missing)} tables missing" if row.missing else ""


# The calendar


def _mondays(first: date, last: date) -> list[date]:
    start, end = (day - timedelta(day.weekday()) for day in (first, last))
    return [start + timedelta(weeks=week) for week in range((end - start).days // 7 + 1)]


def _text(day: Period) -> str:
    target = "on target" if day.share >= DAY_TARGET else "off target"
    return f"{day.label}: {target}<br>{day.on_target} of {day.expected} jobs on target<br>{day.delivered} delivered"


def _layout(mondays: Sequence[date]) -> go.Layout:
    """Return the calendar's layout: weeks stand over their Mondays, the last one always named."""
    labels = mondays[:: -max(1, -(-len(mondays) // _MOST_LABELS))]
    return go.Layout(
        template=go.layout.Template(),
        height=_HEIGHT,
        margin={"l": 44, "r": 12, "t": 12, "b": 44},
        xaxis={
            "type": "date",
            "showgrid": False,
            "domain": [0, min(len(mondays) / _PAGE_WEEKS, 1)],
            "tickvals": [str(monday) for monday in labels],
            "tickformat": "%b %-d\n%Y",
            "tickangle": 0,
        },
        yaxis={"autorange": "reversed", "showgrid": False, "fixedrange": True},
    )
