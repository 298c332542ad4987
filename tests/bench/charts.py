"""Bars, which keep their text's size however narrow the page is, and lines over powers of ten, as SVG."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

Points = Sequence[tuple[float, float]]


class Bar(NamedTuple):
    """A value with its name; its smallest and largest, and what it is to reach, where there are such."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    target: float | None = None


class Level(NamedTuple):
    """A line across, and what it stands for."""

    name: str
    value: float


_WIDTH, _HEIGHT = 440, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 24, 12, 40


def ratio_bars(bars: Sequence[Bar], least: float, most: float) -> str:
    """Draw bars from 1, to the right what is faster, to the left what is slower, on a logarithmic scale."""
    start, width = log10(least), log10(most) - log10(least)

    def place(value: float) -> float:
        return 100 * (log10(min(max(value, least), most)) - start) / width

    return "".join(_bar(bar, place, place(1)) for bar in bars)


def bars(items: Sequence[Bar]) -> str:
    """Draw bars from nothing, on a linear scale."""
    most = max(max(item.value, item.target or 0) for item in items)
    return "".join(_bar(item, lambda value: 100 * value / most, 0) for item in items)


def lines(series: Mapping[str, Points], across: str, level: Level) -> str:
    """Draw a line per series, from nothing; across, powers of ten."""
    decades = round(log10(max(x for points in series.values() for x, _ in points)))
    ticks = _ticks(max(level.value, *(y for points in series.values() for _, y in points)))

    def at(x: float, y: float) -> tuple[float, float]:
        wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + wide * log10(x) / decades, _TOP + high * (1 - y / ticks[-1])

    parts = [_tick_across(*at(10**power, 0), f"{10**power:,}") for power in range(decades + 1)]
    parts += [_tick_up(at(1, tick)[1], f"{tick:g}") for tick in ticks]
    parts.append(f'<text x="{(_LEFT + _WIDTH) / 2:.0f}" y="{_HEIGHT - 4}" text-anchor="middle">{escape(across)}</text>')
    parts.append(f'<path class="level" d="M{_LEFT} {at(1, level.value)[1]:.1f}H{_WIDTH - _RIGHT}"/>')
    parts += [_line([at(*point) for point in points], number) for number, points in enumerate(series.values())]
    keys = [_key(f"line{number}", name) for number, name in enumerate(series)]
    keys.append(_key("level", level.name))
    return f'<p class="keys">{"".join(keys)}</p><svg viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(parts)}</svg>'


def _bar(bar: Bar, place: Callable[[float], float], start: float) -> str:
    end = place(bar.value)
    kind = "slow" if end < start else "fast"
    drawn = f'<i class="{kind}" style="left:{min(start, end):.2f}%;width:{abs(end - start):.2f}%"></i>'
    shown = f"{bar.value:,.2f}" if bar.value < 100 else f"{bar.value:,.0f}"
    if bar.low is not None and bar.high is not None:
        low, high = place(bar.low), place(bar.high)
        drawn += f'<i class="spread" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
        shown += f" <small>{bar.low:,.2f} to {bar.high:,.2f}</small>"
    if bar.target is not None:
        drawn += f'<i class="target" style="left:{place(bar.target):.2f}%" title="target {bar.target:g}"></i>'
    axis = f'<i class="axis" style="left:{start:.2f}%"></i>'
    return (
        f'<div class="bar"><span>{escape(bar.name)}</span><div class="track">{axis}{drawn}</div>'
        f"<span>{shown}</span></div>"
    )


def _ticks(most: float) -> list[float]:
    """Five at most, by a round step, the last of them beyond what there is most of."""
    steps = (factor * 10.0**power for power in range(floor(log10(most)) - 1, 99) for factor in (1, 2, 5))
    step = next(step for step in steps if step * 5 >= most)
    return [step * number for number in range(ceil(most / step) + 1)]


def _tick_across(x: float, y: float, text: str) -> str:
    return (
        f'<path class="grid" d="M{x:.1f} {_TOP}V{y:.1f}"/>'
        f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{text}</text>'
    )


def _tick_up(y: float, text: str) -> str:
    return (
        f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


def _line(points: Points, number: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points)
    return f'<g class="line{number}"><polyline points="{path}"/>{dots}</g>'


def _key(kind: str, name: str) -> str:
    return f'<span><i class="{kind}"></i>{escape(name)}</span>'
