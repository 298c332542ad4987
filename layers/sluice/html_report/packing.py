"""Figures for the page, with what repeats written once: hours are in every plot, and gaps last."""

from collections.abc import Iterable
from typing import Any

from sluice.html_report.drawing import Plot


def pack(plots: Iterable[Plot]) -> dict[str, Any]:
    """Return the figures by name; page.js undoes it.

    Returns:
        `figures`, in which a trace over hours or days has a number for its `x`, and numbers for its points' `text`;
        `axes` and `texts` are what they stand for.
    """
    axes: dict[tuple[str, ...], int] = {}
    texts: dict[str, int] = {}
    figures = {plot.name: plot.figure.to_plotly_json() for plot in plots}
    for trace in (trace for figure in figures.values() for trace in figure["data"] if trace["type"] != "heatmap"):
        trace["x"] = axes.setdefault(tuple(trace["x"]), len(axes))
        if "text" in trace:
            trace["text"] = [texts.setdefault(text, len(texts)) for text in trace["text"]]
    return {"figures": figures, "axes": list(axes), "texts": list(texts)}
