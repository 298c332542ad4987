"""The plots of the report hold the values of the rows."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from sluice.html_report.page import pack
from sluice.html_report.plots import Plot
from sluice.vendor_exports.completeness.report.plots import calendar, plots_by_topic
from sluice.vendor_exports.completeness.report.service_level import daily
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from tests.vendor_exports.unit.completeness.report.slot_rows import absent, histories, row

TITLES = {
    "files-hourly": "Files delivered, hourly",
    "size-hourly": "Size delivered, hourly, and the usual",
    "jobs-daily": "Job completeness, averaged daily",
    "job-ratio-daily": "Job completeness ratio, averaged daily",
    "jobs-hourly": "Job completeness, hourly (out of 1)",
    "tables-daily": "Table completeness, averaged daily",
    "table-ratio-daily": "Table completeness ratio, averaged daily",
    "tables-hourly": "Table completeness, hourly",
    "failures-daily": "Missing tables, averaged daily",
    "failures-hourly": "Missing tables, hourly",
}
# 22:00 and 23:00 of one day, 00:00 and 01:00 of the next
ROWS = [
    row(2, size=5_000_000, usual=4_500_000),
    absent(3),
    row(4, ["Port"], size=6_000_000),
    row(5, ["Cargo", "Port"], size=7_654_321),
]


def plots_of(rows: list[SlotHistory]) -> dict[str, Plot]:
    return {plot.name: plot for topic in plots_by_topic(rows, daily(rows)).values() for plot in topic}


def values(plot: Plot) -> dict[str | None, list[Any]]:
    return {trace.name: list(trace.y) for trace in plot.figure.data}


def test_all_ten_are_there_with_titles_and_units() -> None:
    plots = plots_of(ROWS)
    assert {name: plot.title for name, plot in plots.items()} == TITLES
    for plot in plots.values():
        assert "(UTC)" in plot.figure.layout.xaxis.title.text
        assert plot.figure.layout.yaxis.title.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("files-hourly", {"files": [10, 0, 10, 10]}),
        ("size-hourly", {"usual": [4.5, None, None, None], "delivered": [5.0, 0.0, 6.0, 7.654]}),
        ("jobs-daily", {"expected": [1, 1], "delivered": [0.5, 1.0]}),
        ("job-ratio-daily", {None: [50.0, 100.0]}),
        ("jobs-hourly", {"delivered": [1, 0, 1, 1], "not delivered": [0]}),
        ("tables-daily", {"expected": [4.0, 4.0], "delivered": [2.0, 2.5]}),
        ("table-ratio-daily", {None: [50.0, 62.5]}),
        ("tables-hourly", {"expected": [4, 4, 4, 4], "delivered": [4, 0, 3, 2]}),
        ("failures-daily", {None: [2.0, 1.5]}),
        ("failures-hourly", {"missing": [0, 4, 1, 2]}),
    ],
)
def test_values(name: str, expected: dict[str | None, list[Any]]) -> None:
    assert values(plots_of(ROWS)[name]) == expected


def test_points_stand_at_their_hours_and_days() -> None:
    plots = plots_of(ROWS)
    hours = ("2026-01-30 22:00", "2026-01-30 23:00", "2026-01-31 00:00", "2026-01-31 01:00")
    for name, plot in plots.items():
        assert plot.figure.data[0].x == (hours if name.endswith("hourly") else ("2026-01-30", "2026-01-31"))
    assert plots["jobs-hourly"].figure.data[1].x == hours[1:2]


@pytest.mark.parametrize("name", ["jobs-hourly", "tables-hourly", "failures-hourly"])
def test_pointing_at_an_hour_names_its_slot_and_missing_tables(name: str) -> None:
    figure = plots_of(ROWS)[name].figure
    assert figure.layout.xaxis.hoverformat == "%Y%m%d-%H"
    (noted,) = [trace for trace in figure.data if trace.text]
    assert noted.text == ("", "<br>no delivery", "<br>missing: Port", "<br>missing: Cargo, Port")
    assert "%{text}" in noted.hovertemplate


def test_long_histories_open_on_their_last_month() -> None:
    short, long = plots_of([row(hours) for hours in range(720)]), plots_of([row(hours) for hours in range(1000)])
    assert short["files-hourly"].figure.layout.xaxis.range is None
    assert long["files-hourly"].figure.layout.xaxis.range == (str_of(280), str_of(999))


def str_of(hours: int) -> str:
    return f"{row(hours).slot.hour:%Y-%m-%d %H:%M}"


@settings(max_examples=20)
@given(histories)
def test_the_calendar_has_each_day_once(rows: list[SlotHistory]) -> None:
    days = daily(rows)
    (heat,) = calendar(days).figure.data
    shown = [cell for week in zip(*heat.z, strict=True) for cell in week if cell is not None]
    assert shown == pytest.approx([100 * day.share for day in days], abs=0.001)


def test_the_calendar_puts_days_into_weeks_from_their_mondays() -> None:
    plot = calendar(daily(ROWS))
    (heat,) = plot.figure.data
    assert heat.x == ("2026-01-26",)
    assert [heat.y[day] for day, (share,) in enumerate(heat.z) if share is not None] == ["Fri", "Sat"]
    assert heat.text[4][0] == "2026-01-30: off target<br>1 of 2 jobs on target<br>1 delivered"
    assert plot.figure.layout.xaxis.domain == (0, 1 / 13)
    (whole,) = calendar(daily([row(0)])).figure.data
    assert list(whole.text[4]) == ["2026-01-30: on target<br>1 of 1 jobs on target<br>1 delivered"]


@pytest.mark.parametrize(("weeks", "labels"), [(1, 1), (5, 5), (12, 4), (52, 5)])
def test_the_calendar_names_mondays(weeks: int, labels: int) -> None:
    plot = calendar(daily([row(hours) for hours in range(-100, (weeks - 1) * 168, 24)]))
    named = plot.figure.layout.xaxis.tickvals
    assert len(named) == labels
    assert named[0] == plot.figure.data[0].x[-1]
    assert {date.fromisoformat(monday).weekday() for monday in named} == {0}


@pytest.mark.parametrize(("size", "unit", "shown"), [(512, "B", 512), (4100, "kB", 4.1), (7 * 10**9, "GB", 7)])
def test_sizes_are_in_a_unit_that_shows_them(size: int, unit: str, shown: float) -> None:
    plot = plots_of([row(0, size=size), absent(1)])["size-hourly"]
    assert plot.figure.layout.yaxis.title.text == f"Size ({unit})"
    assert values(plot)["delivered"] == [shown, 0]


# Packed figures


def unpacked(trace: dict[str, Any], packed: dict[str, Any]) -> dict[str, Any]:
    """Undo the packing of a trace, as page.js does."""
    if trace["type"] == "heatmap":
        return trace
    texts = {"text": [packed["texts"][number] for number in trace["text"]]} if "text" in trace else {}
    return {**trace, "x": list(packed["axes"][trace["x"]]), **texts}


@settings(max_examples=10)
@given(histories)
def test_unpacking_gives_the_figures_back(rows: list[SlotHistory]) -> None:
    days = daily(rows)
    plots = [calendar(days), *plots_of(rows).values()]
    packed = pack(plots)
    for plot in plots:
        figure = packed["figures"][plot.name]
        assert [unpacked(trace, packed) for trace in figure["data"]] == plot.figure.to_plotly_json()["data"]


def test_hours_and_days_are_there_once() -> None:
    packed = pack(plots_of([row(hours) for hours in range(50)]).values())
    assert [len(axis) for axis in packed["axes"]] == [50, 3, 0]  # hours, days, hours without delivery
