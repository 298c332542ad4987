"""Packed figures hold the same values."""

from typing import Any

from hypothesis import given, settings

from sluice.html_report.page import pack
from sluice.vendor_exports.completeness.report.plots import calendar, plots_by_topic
from sluice.vendor_exports.completeness.report.service_level import daily
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from tests.vendor_exports.unit.completeness.report.slot_rows import histories, row


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
    plots = [calendar(days), *(plot for topic in plots_by_topic(rows, days).values() for plot in topic)]
    packed = pack(plots)
    for plot in plots:
        figure = packed["figures"][plot.name]
        assert [unpacked(trace, packed) for trace in figure["data"]] == plot.figure.to_plotly_json()["data"]


def test_hours_and_days_are_there_once() -> None:
    rows = [row(hours) for hours in range(50)]
    packed = pack([plot for topic in plots_by_topic(rows, daily(rows)).values() for plot in topic])
    assert [len(axis) for axis in packed["axes"]] == [50, 3, 0]  # hours, days, hours without delivery
