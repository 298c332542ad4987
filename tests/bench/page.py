"""The result as one page, with nothing to load."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from tests.bench.charts import Bar, Level, bars, lines, ratio_bars
from tests.bench.stopwatch import WITHHELD
from tests.bench.targets import TARGETS

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --paper: #fff; --pale: #667280; --grid: #dde2e7; --fast: #4477aa;
  --slow: #cc6633; --target: #aa3377; --line0: #4477aa; --line1: #228833; --line2: #bb6600; --no: #bb2222 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --paper: #15191d; --pale: #97a3af; --grid: #323a42;
  --fast: #6699cc; --slow: #dd8855; --target: #ee88bb; --line0: #77aadd; --line1: #66bb77; --line2: #ddaa44;
  --no: #ff7766 } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 960px;
  margin: 2em auto; padding: 0 16px }
h2 { margin: 2em 0 .4em; font-size: 1.25em } h3 { margin: 1.2em 0 .3em; font-size: 1em }
p, small { color: var(--pale) }
.bar { display: grid; grid-template-columns: 9em 1fr 12em; gap: 0 .8em; align-items: center; margin: 3px 0 }
.track { position: relative; height: 18px;
  background: linear-gradient(var(--grid), var(--grid)) 0 50% / 100% 1px no-repeat }
.track i { position: absolute; top: 2px; bottom: 2px }
.fast { background: var(--fast) } .slow { background: var(--slow) }
.track .spread { top: 8px; bottom: 8px; background: var(--ink) }
.track .axis { top: -3px; bottom: -3px; width: 1px; background: var(--pale) }
.track .target { top: -1px; bottom: -1px; width: 3px; margin-left: -1px; background: var(--target) }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 1em 2em }
svg { width: 100%; font-size: 13px } svg text { fill: var(--pale) } svg .grid { stroke: var(--grid) }
svg g { fill: none; stroke-width: 2 } svg circle { stroke: none }
.level { stroke: var(--target); stroke-dasharray: 5 4; stroke-width: 1.5 }
.line0 { stroke: var(--line0); background: var(--line0) } .line0 circle { fill: var(--line0) }
.line1 { stroke: var(--line1); background: var(--line1) } .line1 circle { fill: var(--line1) }
.line2 { stroke: var(--line2); background: var(--line2) } .line2 circle { fill: var(--line2) }
.keys { display: flex; flex-wrap: wrap; gap: 0 1.2em; margin: 0; font-size: 13px }
.keys i { display: inline-block; width: 1.4em; height: 3px; margin-right: .4em; vertical-align: middle }
.keys .level { height: 0; border-top: 2px dashed var(--target) }
.mark { display: inline-block; width: 3px; height: 1em; vertical-align: -2px; background: var(--target) }
.wide { overflow-x: auto } table { border-collapse: collapse }
td, th { padding: .2em 1.4em .2em 0; text-align: left; border-bottom: 1px solid var(--grid) }
th:nth-child(2), th:nth-child(3) { text-align: right }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.no { color: var(--no); font-weight: 600 }
@media (max-width: 640px) { .bar { grid-template-columns: 1fr auto; margin: 8px 0 } .track { grid-area: 2 / 1 / 3 / 3 }
  table { font-size: 13px } td, th { padding-right: .5em } }
"""

_NUMBER, _BREAKS = re.compile("[<>= ]*[0-9.,]+"), re.compile("[_/]")


def page(result: Mapping[str, Any]) -> str:
    """Draw the ratios, each with its spread, memory and growth; list the targets and all figures."""
    figures = result["figures"]
    sections = (
        ("Targets", _targets(result["targets"])),
        ("Times as fast as others", _ratios(result["ratios"])),
        ("Peak memory of converting, MB", _memory(figures)),
        ("Growth with the work", _growth(figures)),
        ("Not measured", _table(result["not_measured"].items())),
        ("Figures", _table((name, f"{value:,.2f}") for name, value in figures.items())),
    )
    where = f"{result['machine']}; {result['date']}; {WITHHELD.format(figures['withheld_share'])}"
    body = "".join(f"<h2>{title}</h2>{content}" for title, content in sections if content)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice: bench</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>How fast Sluice is</h1><p>{escape(where)}</p>{body}</html>"
    )


def _targets(targets: Sequence[Mapping[str, Any]]) -> str:
    return _table(map(_judged, targets), ("", "target", "measured", "reached"))


def _judged(target: Mapping[str, Any]) -> tuple[str, str, str, str]:
    measured = f"{target['measured']['median']:,.2f}" if target["measured"] else ""
    return (
        target["name"],
        target["target"],
        measured,
        {True: "yes", False: "NO", None: "not measured"}[target["reached"]],
    )


def _ratios(ratios: Mapping[str, Mapping[str, float]]) -> str:
    """A heading for each thing compared, one scale for all of them."""
    values = [value for ratio in ratios.values() for value in ratio.values()]
    least, most = min(0.5, *values), max(10, *values)
    note = (
        "<p>The median of the rounds, the least and the most. The thin line is where both are the same; what is faster "
        'is to the right of it, on a logarithmic scale. <i class="mark"></i> is what is to be reached.</p>'
    )
    return note + "".join(
        f"<h3>{escape(thing)}</h3>{ratio_bars([_ratio(name, ratios[name]) for name in names], least, most)}"
        for thing, names in groupby(ratios, lambda name: name.partition("/")[0])
    )


def _ratio(name: str, ratio: Mapping[str, float]) -> Bar:
    target = TARGETS.get(name)
    return Bar(name.partition("/")[2], ratio["median"], ratio["min"], ratio["max"], target.value if target else None)


def _memory(figures: Mapping[str, float]) -> str:
    named = {"convert_rss_mb": "ours", "convert_imports_rss_mb": "imports alone"}
    peaks = [
        Bar(named.get(name, name.partition("/")[2]), value, target=TARGETS[name].value if name in TARGETS else None)
        for name, value in figures.items()
        if name in named or name.startswith("convert_rss_mb/")
    ]
    return bars(peaks) if peaks else ""


def _growth(figures: Mapping[str, float]) -> str:
    times, peaks = _axes(figures, "growth"), _axes(figures, "growth_memory")
    if not times or not peaks:
        return ""
    across = "times as much work"
    time = lines(times, across, Level("linear", 1))
    memory = lines(peaks, across, Level("imports alone", figures["growth_imports_rss_mb"]))
    return (
        f'<div class="charts"><div><h3>Time per unit of work, as a multiple of the first</h3>{time}</div>'
        f"<div><h3>Peak memory, MB</h3>{memory}</div></div>"
    )


def _axes(figures: Mapping[str, float], prefix: str) -> dict[str, list[tuple[float, float]]]:
    """Give the figures of each axis by how many times as much work there is."""
    axes: dict[str, list[tuple[float, float]]] = {}
    for name, value in figures.items():
        if name.startswith(f"{prefix}/"):
            _, axis, size = name.split("/")
            axes.setdefault(axis, []).append((float(size), value))
    return {axis: [(size / points[0][0], value) for size, value in points] for axis, points in axes.items()}


def _table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    heads = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return lines and f'<div class="wide"><table><tr>{heads}</tr>{lines}</table></div>'


def _cell(text: str) -> str:
    """Numbers are aligned; names may be broken between their parts."""
    kind = "no" if text == "NO" else "number" if _NUMBER.fullmatch(text) else "text"
    broken = _BREAKS.sub(r"\g<0><wbr>", escape(text))
    return f'<td class="{kind}">{broken}</td>'
