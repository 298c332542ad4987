"""Cards, lines and plots that the digest and the pipelines' sections are made of."""

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import plotly.graph_objects as go

from sluice.html_report.page import figure_card
from sluice.html_report.plots import BAD, GOOD, QUIET, Plot, axis, bars, figure, over_days, over_hours, rounded
from sluice.html_report.text import in_html, in_plot
from sluice.observability import formatting
from sluice.observability.digest.model import Digest
from sluice.runs.model import Result, RunRecord

_STACK_HEIGHT = 360
_ABOVE = {"y": 1.02, "yref": "paper", "yanchor": "bottom"}  # where Plotly makes room for as many lines as it takes
_DAYS = {"tickformat": "%-d<br>%b", "tickangle": 0}
_HOURS = {"title": {"text": "Hour (UTC)"}, "hoverformat": "%Y%m%d-%H"}
_COLOURS = ("#3a86c8", "#e07b39", "#2f9e83", "#b0619f", "#b99512", "#6f6fd0")
"""Distinct for the colour-blind in this order, and readable on white as on black."""


def success_card(digest: Digest, kind: str, title: str) -> str:
    """Return the share of runs of a kind that did not fail as a card of the headline."""
    value = digest.total.success(kind)
    mark = "" if value is None else "good" if value == 1 else "bad"
    note = f"{digest.total.runs(kind):,} runs"
    return figure_card(f"{title} that succeeded", formatting.share(value), note, mark)


def volume_card(digest: Digest, name: str, title: str) -> str:
    """Return a volume and the usual one as a card of the headline."""
    volume = digest.volume(name)
    shown = formatting.volume(name, volume.usual)
    usual = "the usual is not known yet" if volume.usual is None else f"usual {shown}"
    return figure_card(title, formatting.volume(name, volume.value), usual)


def success_line(digest: Digest, kind: str) -> str:
    """Return how many runs of a kind succeeded as a line of the message."""
    runs = digest.total.runs(kind)
    return f"{runs - digest.total.failed(kind):,} of {runs:,} succeeded" if runs else "none ran"


def volume_line(digest: Digest, name: str) -> str:
    """Return a volume and the usual one as a line of the message."""
    volume = digest.volume(name)
    usual = "" if volume.usual is None else f" (usual {formatting.volume(name, volume.usual)})"
    return f"{formatting.volume(name, volume.value)}{usual}"


def run_link(run: RunRecord) -> str:
    """Return the id of a run as HTML, linked to the console."""
    console = run.links.get("console", "")
    name = in_html(run.id)
    return f'<a href="{html.escape(console)}">{name}</a>' if console.startswith("https://") else name


def hour_labels(hours: Iterable[datetime]) -> list[str]:
    """Return hours as Plotly reads them."""
    return [f"{hour:%Y-%m-%d %H:00}" for hour in hours]


def part_labels(digest: Digest) -> list[str]:
    """Return the begins of a digest's parts as Plotly reads them."""
    return hour_labels(digest.parts) if digest.is_daily else [f"{day:%Y-%m-%d}" for day in digest.parts]


def each_part(digest: Digest) -> str:
    """Return the word for a digest's parts in titles."""
    return "hourly" if digest.is_daily else "daily"


def hourly_plot(digest: Digest, name: str, title: str, unit: str, *traces: go.Bar, wide: bool = False) -> Plot:
    """Return bars over hours that stand on each other."""
    made = figure(traces, _HOURS, axis(unit)) if digest.is_daily else over_hours(traces, axis(unit))
    return Plot(name, title, made.update_layout(barmode="stack"), wide)


def parts_figure(digest: Digest, traces: Sequence[go.Bar], up: Mapping[str, object]) -> go.Figure:
    """Return bars over a digest's parts; `up` is the vertical axis."""
    if digest.is_daily:
        return figure(traces, _HOURS, up)
    return over_days(traces, up).update_layout(bargap=0.15, margin_b=64).update_xaxes(_DAYS)


def stacked_figure(digest: Digest, traces: Sequence[go.Bar], unit: str) -> go.Figure:
    """Return bars over a digest's parts that stand on each other, under their legend."""
    made = parts_figure(digest, traces, axis(unit))
    return made.update_layout(barmode="stack", height=_STACK_HEIGHT, legend=_ABOVE)


def outcomes_plot(digest: Digest, kind: str) -> Plot:
    """Return the runs of a kind by what they achieved."""
    results = [part.results[kind] for part in digest.parts.values()]
    names = [outcome for outcome, result in digest.kinds[kind].outcomes.items() if result is Result.WORKED]
    series = ((Result.WORKED, names[0], GOOD), (Result.FAILED, "failed", BAD), (Result.IDLE, "nothing to do", QUIET))
    traces = [
        bars(part_labels(digest), [each.get(result, 0) for each in results], colour, f"%{{y:,}} {name}", name)
        for result, name, colour in series
    ]
    title = f"{digest.kinds[kind].title.capitalize()} by outcome, {each_part(digest)}"
    return Plot(f"{kind}-outcomes", title, stacked_figure(digest, traces, "Runs"))


def steps_plot(digest: Digest, kind: str) -> Plot:
    """Return the seconds that the steps of runs of a kind took."""
    traces = stacked_bars(part_labels(digest), [part.steps[kind] for part in digest.parts.values()], "%{y:,.1f} s")
    title = f"Seconds of {digest.kinds[kind].title} by step, median, {each_part(digest)}"
    return Plot(f"{kind}-steps", title, stacked_figure(digest, traces, "Seconds"))


def stacked_bars(x: Sequence[str], values: Sequence[Mapping[str, float]], unit: str) -> list[go.Bar]:
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
        traces.append(_bars(x, [sum(each.get(name, 0) for name in rest) for each in values], QUIET, "others", unit))
    return traces


def _bars(x: Sequence[str], y: Sequence[float], colour: str, name: str, unit: str) -> go.Bar:
    return bars(x, list(map(rounded, y)), colour, f"{unit} %{{fullData.name}}", name)
