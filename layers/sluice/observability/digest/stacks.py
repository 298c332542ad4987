"""Bars that stand on each other, one colour per name; what is small shares one."""

from collections import Counter
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from sluice.html_report.drawing import QUIET, bars, rounded
from sluice.html_report.names import in_plot

_COLOURS = ("#3a86c8", "#e07b39", "#2f9e83", "#b0619f", "#b99512", "#6f6fd0")
"""Told apart by the colour-blind in this order, and readable on white as on black."""

_OTHERS = "others"


def stacked(x: Sequence[str], values: Sequence[Mapping[str, float]], unit: str) -> list[go.Bar]:
    """Return a trace per name: the largest first, those beyond the colours as one; `unit` is Plotly's for a value."""
    sums: Counter[str] = Counter()
    for each in values:
        sums.update(each)
    names = sorted(sums, key=lambda name: (-sums[name], name))
    own, rest = names[: len(_COLOURS)], names[len(_COLOURS) :]
    traces = [
        _bars(x, [each.get(name, 0) for each in values], colour, in_plot(name), unit)
        for name, colour in zip(own, _COLOURS, strict=False)
    ]
    if rest:
        traces.append(_bars(x, [sum(each.get(name, 0) for name in rest) for each in values], QUIET, _OTHERS, unit))
    return traces


def _bars(x: Sequence[str], y: Sequence[float], colour: str, name: str, unit: str) -> go.Bar:
    return bars(x, list(map(rounded, y)), colour, f"{unit} %{{fullData.name}}", name)
