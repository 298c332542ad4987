"""The result as one page: bars drawn as SVG, nothing to load."""

from collections.abc import Iterator, Mapping
from html import escape
from math import log10
from typing import Any

_WIDTH, _ROW, _LABEL = 900, 26, 260
_HEIGHT, _COLORS = 260, ("#4477aa", "#228833", "#aa3377")
_STYLE = "body{font:15px system-ui;max-width:960px;margin:2em auto}td{padding:.2em 1em .2em 0}td+td{text-align:right}"


def page(result: Mapping[str, Any]) -> str:
    """Draw the ratios, each with its spread, and list the figures."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{value:,.2f}</td></tr>" for name, value in result["figures"].items()
    )
    left_out = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(why)}</td></tr>" for name, why in result["not_measured"].items()
    )
    head = f"{escape(result['machine'])}; {escape(result['date'])}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Sluice: bench</title><style>{_STYLE}</style>"
        f"<h1>How fast Sluice is</h1><p>{head}</p><h2>Times as fast as others</h2>{_bars(result['ratios'])}"
        f"<h2>Time per unit of work, as the work grows</h2>{_growth(result['figures'])}"
        f"<h2>Figures</h2><table>{rows}</table><h2>Not measured</h2><table>{left_out}</table></html>"
    )


def _bars(ratios: Mapping[str, Mapping[str, float]]) -> str:
    height = _ROW * (len(ratios) + 1)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" font-size="13">{"".join(_bar_parts(ratios, height))}</svg>'


def _bar_parts(ratios: Mapping[str, Mapping[str, float]], height: int) -> Iterator[str]:
    """Give bars on a logarithmic scale, from a tenth; the line is where both are as fast."""
    most = max((ratio["max"] for ratio in ratios.values()), default=1)
    unit = (_WIDTH - _LABEL - 90) / (log10(max(most, 10)) + 1)

    def x(value: float) -> float:
        return _LABEL + unit * (log10(max(value, 0.1)) + 1)

    for number, (name, ratio) in enumerate(ratios.items()):
        y = _ROW * number + 4
        yield f'<text x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect x="{_LABEL}" y="{y}" width="{x(ratio["median"]) - _LABEL:.1f}" height="18" fill="#4477aa"/>'
        yield f'<path d="M{x(ratio["min"]):.1f} {y + 9}H{x(ratio["max"]):.1f}" stroke="#222" stroke-width="2"/>'
        yield f'<text x="{x(ratio["max"]) + 6:.1f}" y="{y + 14}">{ratio["median"]:.2f}</text>'
    yield f'<path d="M{x(1):.1f} 0V{height}" stroke="#aa3377" stroke-dasharray="4"/>'


def _growth(figures: Mapping[str, float]) -> str:
    """Draw a line per axis: across, how many times as much work, in powers of ten; up, how many times the time each."""
    axes: dict[str, list[tuple[float, float]]] = {}
    for name, value in figures.items():
        if name.startswith("growth/"):
            _, axis, size = name.split("/")
            axes.setdefault(axis, []).append((float(size), value))
    lines = "".join(_line(axis, points, color) for (axis, points), color in zip(axes.items(), _COLORS, strict=False))
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="13">{lines}{_level(1)}{_level(2)}</svg>'


def _line(name: str, points: list[tuple[float, float]], color: str) -> str:
    start = min(size for size, _ in points)
    places = [(40 + 220 * log10(size / start), _up(value)) for size, value in points]
    path = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    x, y = places[-1]
    return (
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        f'<text x="{x + 6:.0f}" y="{y + 4:.0f}" fill="{color}">{escape(name)}</text>'
    )


def _level(value: float) -> str:
    y = _up(value)
    return f'<text x="0" y="{y + 4:.0f}">{value:g}</text><path d="M30 {y:.0f}H{_WIDTH}" stroke="#ccc"/>'


def _up(value: float) -> float:
    return _HEIGHT * (1 - min(value, 2.4) / 2.5)
