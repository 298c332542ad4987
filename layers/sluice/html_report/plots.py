"""Plots in one look: lines over hours, lines and bars over days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

GOOD, BAD, QUIET = "#3a86c8", "#e07b39", "#8d97a5"
"""Blue, orange and grey: distinct for the colour-blind, and readable on white as on black."""

HEIGHT = 320
"""Pixels."""

_FEW_DAYS = 8  # with a tick each; by default, Plotly cuts them into hours
_EACH_DAY = {"dtick": 24 * 60 * 60 * 1000, "tickformat": "%b %-d"}
_FEW = 48  # points that get markers: a line of one point is invisible
_MONTH_OF_HOURS = 30 * 24
_ZOOMS = {"24 h": 1, "7 d": 7, "30 d": 30}


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure and its place in the page.

    Attributes:
        name: Its id in the page.
        title: What it shows.
        figure: The Plotly figure.
        wide: Whether it takes the page's whole width.
    """

    name: str
    title: str
    figure: go.Figure
    wide: bool = False


def line(
    x: Sequence[str],
    y: Sequence[float | None],
    name: str,
    hover: str,
    look: Mapping[str, object],
    notes: Sequence[str] | None = None,
    fill: str | None = None,
) -> go.Scatter:
    """Return a line; `hover` is Plotly's template of what is said of a point, `notes` are its texts."""
    mode = "lines+markers" if len(x) <= _FEW else "lines"
    return go.Scatter(
        x=x, y=y, name=name, mode=mode, line=look, text=notes, fill=fill, hovertemplate=f"{hover}<extra></extra>"
    )


def bars(
    x: Sequence[str], y: Sequence[float | None], colours: str | list[str], hover: str, name: str | None = None
) -> go.Bar:
    """Return bars in one colour or one each; `hover` as for a line."""
    marker = {"color": colours, "line": {"width": 0}}
    return go.Bar(x=x, y=y, name=name, marker=marker, hovertemplate=f"{hover}<extra></extra>")


def stroke(colour: str, width: float = 1.5, shape: str = "linear") -> dict[str, Any]:
    """Return how a line is drawn: `width` in pixels, `shape` in Plotly's words."""
    return {"color": colour, "width": width, "shape": shape}


def rounded(value: float) -> float:
    """Round to three digits after the point, to keep pages small."""
    return round(value, 3)


def figure(traces: Sequence[Any], across: Mapping[str, object], up: Mapping[str, object]) -> go.Figure:
    """Return a figure over time; `across` and `up` are its axes, in Plotly's words."""
    layout = {
        "template": go.layout.Template(),
        "height": HEIGHT,
        "margin": {"l": 56, "r": 12, "t": 30, "b": 76 if len(traces) > 1 else 52},
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        "hovermode": "x unified",
        "bargap": 0,
        "xaxis": {"type": "date", **across},
        "yaxis": {"rangemode": "tozero", "fixedrange": True, **up},
    }
    return go.Figure(data=list(traces), layout=layout)


def over_days(traces: Sequence[Any], up: Mapping[str, object]) -> go.Figure:
    """Return a figure over days; `up` is its vertical axis."""
    across: dict[str, object] = {"title": {"text": "Day (UTC)"}, "hoverformat": "%Y-%m-%d"}
    if len(traces[0].x) <= _FEW_DAYS:
        across |= _EACH_DAY
    return figure(traces, across, up)


def over_hours(traces: Sequence[Any], up: Mapping[str, object]) -> go.Figure:
    """Return a figure over hours that opens on their last 30 days; `up` is its vertical axis."""
    hours = traces[0].x
    across: dict[str, object] = {"title": {"text": "Hour (UTC)"}, "hoverformat": "%Y%m%d-%H"}
    across["rangeselector"] = _zooms(len(hours))
    if len(hours) > _MONTH_OF_HOURS:
        across["range"] = [hours[-_MONTH_OF_HOURS], hours[-1]]
    return figure(traces, across, up)


def _zooms(hours: int) -> dict[str, object]:
    """Return the buttons for less than so many hours, and for all: more would show empty days."""
    buttons: list[dict[str, object]] = [
        {"label": label, "count": days, "step": "day", "stepmode": "backward"}
        for label, days in _ZOOMS.items()
        if days * 24 < hours
    ]
    return {"x": 1, "xanchor": "right", "buttons": [*buttons, {"label": "all", "step": "all"}]}


def axis(unit: str, **more: object) -> dict[str, object]:
    """Return a vertical axis under the name of its unit."""
    return {"title": {"text": unit}, **more}
