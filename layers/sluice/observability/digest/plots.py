"""The plots of the digest; what there is nothing to draw of is left out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import add

import plotly.graph_objects as go

from sluice.html_report.drawing import BAD, GOOD, QUIET, Plot, axis, bars, figure, over_days, over_hours, rounded
from sluice.html_report.names import in_plot
from sluice.observability.digest.model import Digest
from sluice.observability.digest.periods import SpanKind
from sluice.observability.digest.run_totals import WORKED, Tally
from sluice.observability.digest.stacks import stacked
from sluice.runs.model import Kind

_PERCENT = {"title": {"text": "Clean"}, "range": [0, 104], "ticksuffix": " %"}
_ROW_HEIGHT = 26  # pixels of a table's bar
_STACK_HEIGHT = 360
_ABOVE = {"y": 1.02, "yref": "paper", "yanchor": "bottom"}  # where Plotly makes room for as many lines as it takes
_DAYS = {"tickformat": "%-d<br>%b", "tickangle": 0}
_MB = 1_000_000


def plots_of(digest: Digest) -> dict[str, list[Plot]]:
    """Return the plots by what they are about."""
    total = digest.total
    topics = {
        "Volume": [_events(digest), _files(digest), _bytes(digest)] if digest.volume("files").value else [],
        "Dirty events": [
            *([_clean_share(digest)] if total.clean_share is not None else []),
            *([_reasons(digest)] if total.dirty else []),
        ],
        "Tables": [_rows(digest)] if total.rows else [],
        "Runs": [
            *([_outcomes(digest)] if total.runs(Kind.CONVERT) else []),
            *([_steps(digest)] if total.steps else []),
        ],
        "Exports": [_exports(digest)] if digest.exports else [],
    }
    return {topic: plots for topic, plots in topics.items() if plots}


def _events(digest: Digest) -> Plot:
    tallies, hours = digest.hourly.values(), _hours(digest.hourly)
    traces = [
        bars(hours, [tally.count(Kind.CONVERT, count) for tally in tallies], colour, f"%{{y:,}} {name}", name)
        for name, count, colour in (
            ("clean", "events", GOOD),
            ("dirty", "dirty", BAD),
            ("unrelated", "unrelated", QUIET),
        )
    ]
    return Plot("events-hourly", "Events, hourly", _over_hours(digest, traces, "Events"), wide=True)


def _files(digest: Digest) -> Plot:
    files = [tally.count(Kind.CONVERT, "files") for tally in digest.hourly.values()]
    traces = [bars(_hours(digest.hourly), files, GOOD, "%{y:,} files")]
    return Plot("files-hourly", "Files, hourly", _over_hours(digest, traces, "Files"))


def _bytes(digest: Digest) -> Plot:
    sizes = [rounded(tally.count(Kind.CONVERT, "bytes") / _MB) for tally in digest.hourly.values()]
    traces = [bars(_hours(digest.hourly), sizes, GOOD, "%{y:,.1f} MB")]
    return Plot("bytes-hourly", "Size of the files, hourly", _over_hours(digest, traces, "Size (MB)"))


def _clean_share(digest: Digest) -> Plot:
    parts = _parts(digest)
    shares = [tally.clean_share for tally in parts.values()]
    values = [None if share is None else rounded(100 * share) for share in shares]
    figure_ = _over_parts(digest, [bars(_labels(digest, parts), values, GOOD, "%{y} of the events clean")], _PERCENT)
    return Plot("clean-share", f"Clean share, {_each(digest)}", figure_)


def _reasons(digest: Digest) -> Plot:
    parts = _parts(digest)
    values = [_by_reason(tally) for tally in parts.values()]
    traces = stacked(_labels(digest, parts), values, "%{y:,}")
    return Plot("dirty-reasons", f"Dirty events by reason, {_each(digest)}", _stack(digest, traces, axis("Events")))


def _by_reason(tally: Tally) -> dict[str, float]:
    sums: dict[str, float] = {}
    for (_, reason), events in tally.dirty.items():
        sums[reason] = sums.get(reason, 0) + events
    return sums


def _rows(digest: Digest) -> Plot:
    tables = list(reversed(digest.tables))
    names, rows = [in_plot(each.table) for each in tables], [each.rows for each in tables]
    hover = "%{x:,} %{fullData.name}<extra></extra>"
    traces: list[object] = [
        go.Bar(x=rows, y=names, orientation="h", name="rows", marker={"color": GOOD}, hovertemplate=hover)
    ]
    if digest.compared:
        usual = [each.usual for each in tables]
        mark = {"color": BAD, "symbol": "line-ns", "size": 14, "line": {"width": 3, "color": BAD}}
        traces.append(go.Scatter(x=usual, y=names, name="usual", mode="markers", marker=mark, hovertemplate=hover))
    layout = {
        "template": go.layout.Template(),
        "height": 110 + _ROW_HEIGHT * len(tables),
        "margin": {"l": 12, "r": 12, "t": 12, "b": 76},
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        "hovermode": "y unified",
        "bargap": 0.25,
        "xaxis": {"title": {"text": "Rows"}, "rangemode": "tozero", "fixedrange": True},
        "yaxis": {"automargin": True, "fixedrange": True, "type": "category"},
    }
    return Plot("table-rows", "Rows by table", go.Figure(data=traces, layout=layout), wide=True)


def _outcomes(digest: Digest) -> Plot:
    parts = _parts(digest)
    worked = [tally.outcomes[Kind.CONVERT].get(WORKED, 0) for tally in parts.values()]
    failed = [tally.failed(Kind.CONVERT) for tally in parts.values()]
    idle = [
        tally.runs(Kind.CONVERT) - some for tally, some in zip(parts.values(), map(add, worked, failed), strict=True)
    ]
    series = ((WORKED, worked, GOOD), ("failed", failed, BAD), ("nothing to do", idle, QUIET))
    traces = [bars(_labels(digest, parts), y, colour, f"%{{y:,}} {name}", name) for name, y, colour in series]
    return Plot("run-outcomes", f"Conversions by outcome, {_each(digest)}", _stack(digest, traces, axis("Runs")))


def _steps(digest: Digest) -> Plot:
    parts = _parts(digest)
    traces = stacked(_labels(digest, parts), [tally.steps for tally in parts.values()], "%{y:,.1f} s")
    title = f"Seconds of a conversion by step, median, {_each(digest)}"
    return Plot("step-seconds", title, _stack(digest, traces, axis("Seconds")))


def _exports(digest: Digest) -> Plot:
    hours = [f"{row.slot.hour:%Y-%m-%d %H:00}" for row in digest.exports]
    came = [len(row.expected) - len(row.missing) if row.delivered else 0 for row in digest.exports]
    lacking = [len(row.missing) if row.expected else int(not row.delivered) for row in digest.exports]
    traces = [
        bars(hours, came, GOOD, "%{y:,} tables came", "tables that came"),
        bars(hours, lacking, BAD, "%{y:,} missing", "missing"),
    ]
    return Plot("exports-hourly", "Tables of the exports, hourly", _over_hours(digest, traces, "Tables"), wide=True)


def _over_hours(digest: Digest, traces: Sequence[go.Bar], unit: str) -> go.Figure:
    up = axis(unit)
    if digest.span.kind is SpanKind.DAY:
        made = figure(traces, {"title": {"text": "Hour (UTC)"}, "hoverformat": "%Y%m%d-%H"}, up)
    else:
        made = over_hours(traces, up)
    return made.update_layout(barmode="stack")


def _over_parts(digest: Digest, traces: Sequence[go.Bar], up: Mapping[str, object]) -> go.Figure:
    if digest.span.kind is SpanKind.DAY:
        return figure(traces, {"title": {"text": "Hour (UTC)"}, "hoverformat": "%Y%m%d-%H"}, up)
    return over_days(traces, up).update_layout(bargap=0.15, margin_b=64).update_xaxes(_DAYS)


def _stack(digest: Digest, traces: Sequence[go.Bar], up: Mapping[str, object]) -> go.Figure:
    return _over_parts(digest, traces, up).update_layout(barmode="stack", height=_STACK_HEIGHT, legend=_ABOVE)


def _parts(digest: Digest) -> Mapping[datetime, Tally]:
    return digest.hourly if digest.span.kind is SpanKind.DAY else digest.daily


def _labels(digest: Digest, parts: Mapping[datetime, Tally]) -> list[str]:
    return _hours(parts) if digest.span.kind is SpanKind.DAY else [f"{day:%Y-%m-%d}" for day in parts]


def _hours(parts: Mapping[datetime, Tally]) -> list[str]:
    return [f"{hour:%Y-%m-%d %H:00}" for hour in parts]


def _each(digest: Digest) -> str:
    return "hourly" if digest.span.kind is SpanKind.DAY else "daily"
