"""The result of a bench as one HTML page that loads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from tests.bench.result import TARGETS
from tests.bench.timing import WITHHELD

_STYLE = """body { font: 15px/1.45 system-ui, sans-serif; max-width: 960px; margin: 2em auto; padding: 0 16px }
table { border-collapse: collapse } td, th { padding: .2em 1.4em .2em 0; border-bottom: 1px solid #dde2e7 }"""
_REACHED = {True: "yes", False: "NO", None: "not measured"}


def page(result: Mapping[str, Any]) -> str:
    """Draw ratios, memory and growth; list targets and figures."""
    figures = result["figures"]
    plots = [
        ("Times as fast as others (log scale, median, least and most)", _ratios(result["ratios"])),
        ("Peak memory of converting, MB", _memory(figures)),
        ("Time per unit of work, as a multiple of the first", _growth(figures, "growth")),
        ("Peak memory with the work, MB", _growth(figures, "growth_memory")),
    ]
    targets = [
        (each["name"], each["target"], _number((each["measured"] or {}).get("median")), _REACHED[each["reached"]])
        for each in result["targets"]
    ]
    sections = [
        ("Targets", _table(targets, ("", "target", "measured", "reached"))),
        *((title, _html(figure, first=number == 0)) for number, (title, figure) in enumerate(plots)),
        ("Not measured", _table(result["not_measured"].items())),
        ("Figures", _table((name, _number(value)) for name, value in figures.items())),
    ]
    machine = f"{result['machine']}; {result['date']}; {WITHHELD.format(figures['withheld_share'])}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice: bench</title><style>{_STYLE}</style>'
        f"<h1>Speed of Sluice</h1><p>{escape(machine)}</p>"
        + "".join(f"<h2>{title}</h2>{content}" for title, content in sections)
        + "</html>"
    )


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
    return go.Figure(go.Bar(x=list(shown.values()), y=list(shown), orientation="h"))


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
    return go.Figure(lines).update_layout(xaxis_type="log", xaxis_title="times as much work", yaxis_rangemode="tozero")


def _html(figure: go.Figure, *, first: bool) -> str:
    html: str = figure.to_html(full_html=False, include_plotlyjs=first)
    return html


def _table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    heads = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{heads}</tr>{lines}</table>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
