"""The result of a bench as one HTML page that loads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from sluice.html_report.page import Topic, body_of, page_of, table
from sluice.html_report.plots import HEIGHT, Plot
from tests.bench.result import TARGETS
from tests.bench.timing import WITHHELD

_REACHED = {True: "yes", False: "NO", None: "not measured"}


def page(result: Mapping[str, Any]) -> bytes:
    """Draw ratios, memory and growth; list targets and figures."""
    figures = result["figures"]
    plots = (
        Plot("ratios", "Times as fast as others (log scale, median, least and most)", _ratios(result["ratios"])),
        Plot("memory", "Peak memory of converting, MB", _memory(figures)),
        Plot("growth", "Time per unit of work, as a multiple of the first", _growth(figures, "growth")),
        Plot("growth_memory", "Peak memory with the work, MB", _growth(figures, "growth_memory")),
    )
    targets = [
        (each["name"], each["target"], _number((each["measured"] or {}).get("median")), _REACHED[each["reached"]])
        for each in result["targets"]
    ]
    numbers = [(name, _number(value)) for name, value in figures.items()]
    topics = (
        Topic("Targets", html=_table("targets", ("", "target", "measured", "reached"), targets)),
        Topic("Plots", plots),
        Topic("Not measured", html=_table("not_measured", ("", "reason"), result["not_measured"].items())),
        Topic("Figures", html=_table("figures", ("", "value"), numbers)),
    )
    machine = f"{result['machine']}; {result['date']}; {WITHHELD.format(figures['withheld_share'])}"
    return page_of("Speed of Sluice", escape(machine), body_of("", "", topics), plots)


def _ratios(ratios: Mapping[str, Mapping[str, float]]) -> go.Figure:
    names = [escape(name) for name in ratios]
    medians = [ratio["median"] for ratio in ratios.values()]
    spread = {
        "type": "data",
        "symmetric": False,
        "array": [ratio["max"] - ratio["median"] for ratio in ratios.values()],
        "arrayminus": [ratio["median"] - ratio["min"] for ratio in ratios.values()],
    }
    targets = {escape(name): TARGETS[name].value for name in ratios if name in TARGETS}
    target = {"symbol": "line-ns-open", "size": 14}
    figure = go.Figure(
        [
            go.Scatter(x=medians, y=names, error_x=spread, mode="markers", name="measured"),
            go.Scatter(x=list(targets.values()), y=list(targets), mode="markers", name="target", marker=target),
        ]
    )
    figure.add_vline(1)
    return figure.update_layout(height=120 + 24 * len(names), xaxis_type="log", yaxis_autorange="reversed")


def _memory(figures: Mapping[str, float]) -> go.Figure:
    shown = {name: value for name, value in figures.items() if name.startswith(("convert_rss_mb", "convert_imports"))}
    return go.Figure(go.Bar(x=list(shown.values()), y=list(shown), orientation="h")).update_layout(height=HEIGHT)


def _growth(figures: Mapping[str, float], prefix: str) -> go.Figure:
    axes: dict[str, list[tuple[float, float]]] = {}
    for name, value in figures.items():
        if name.startswith(f"{prefix}/"):
            _, axis, size = name.split("/")
            axes.setdefault(axis, []).append((float(size), value))
    lines = [
        go.Scatter(x=[size / points[0][0] for size, _ in points], y=[value for _, value in points], name=axis)
        for axis, points in axes.items()
    ]
    return go.Figure(lines).update_layout(
        height=HEIGHT, xaxis_type="log", xaxis_title="times as much work", yaxis_rangemode="tozero"
    )


def _table(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return table(name, dict.fromkeys(head, ""), ([escape(cell) for cell in row] for row in rows), shown=100)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
