"""The section of event files in digests: events, files, dirty reasons, tables and conversions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import plotly.graph_objects as go

from sluice.event_files.run_summary import CONVERT
from sluice.html_report.page import Topic, figure_card, table
from sluice.html_report.plots import BAD, GOOD, QUIET, Plot, bars, rounded
from sluice.html_report.text import in_html, in_plot, percent, plain
from sluice.observability import formatting
from sluice.observability.digest import elements
from sluice.observability.digest.build import ENOUGH
from sluice.observability.digest.elements import (
    success_card,
    success_line,
    volume_card,
    volume_line,
)
from sluice.observability.digest.model import VOLUME_HIGH, Digest, Section
from sluice.observability.digest.periods import PeriodKind
from sluice.observability.run_totals import RunTotals

_NEW = "Before: events of the {} before. What those did not have is new."
_BEFORE = {PeriodKind.DAY: "7 days", PeriodKind.WEEK: "week", PeriodKind.MONTH: "30 days"}
_LOST_SHARE = 0.01  # of the clean share against the usual
_NAMED = 3  # tables in a notice
_REASONS = 5  # in the message
_PERCENT = {"title": {"text": "Clean"}, "range": [0, 104], "ticksuffix": " %"}
_ROW_HEIGHT = 26  # pixels of a table's bar
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class DirtyReason:
    """Dirty events of a table for a reason; `before` is None and `new` False if no earlier conversion is known."""

    table: str
    reason: str
    events: int
    before: int | None
    new: bool


@dataclass(frozen=True, slots=True)
class TableState:
    """A table: rows written in the period, the usual number, and begin of the newest hour it has rows of, if known."""

    table: str
    rows: int
    usual: float | None
    newest: datetime | None


def section_of(digest: Digest, newest: Mapping[str, datetime]) -> Section:
    """Return the section; `newest` is the begin of the newest hour (UTC) that a table has rows of."""
    share, usual = clean_share(digest.total), digest.usual(clean_share)
    reasons, tables = reasons_of(digest), tables_of(digest, newest)
    note = "of clean and dirty events" + (f"; usual {formatting.share(usual)}" if usual is not None else "")
    return Section(
        cards=(
            success_card(digest, CONVERT, "Conversions"),
            figure_card("Clean share", formatting.share(share), note),
            volume_card(digest, "clean", "Events clean"),
            volume_card(digest, "rows", "Rows written"),
            volume_card(digest, "unknown_members", "Unknown members"),
        ),
        topics=_topics(digest, reasons, tables),
        lines={
            "Conversions": success_line(digest, CONVERT),
            "Files": volume_line(digest, "files"),
            "Clean events": volume_line(digest, "clean"),
            "Clean share": formatting.share(share),
            "Rows": volume_line(digest, "rows"),
            "Dirty files": volume_line(digest, "dirty_files"),
            "Dirty bytes": volume_line(digest, "dirty_bytes"),
            "Unknown members": volume_line(digest, "unknown_members"),
        },
        paragraphs=_reason_lines(reasons),
        odd=(
            *_left_out(digest),
            *_new_reasons(reasons),
            *_less_clean(share, usual),
            *_dirty_files(digest),
            *_unknown_members(digest),
            *_silent_tables(tables),
        ),
        members={
            "clean_share": {"value": share, "usual": usual},
            "dirty": [asdict(reason) for reason in reasons],
            "tables": {
                each.table: {
                    "rows": each.rows,
                    "usual": each.usual,
                    "newest": each.newest.isoformat() if each.newest else None,
                }
                for each in tables
            },
        },
    )


def clean_share(totals: RunTotals) -> float | None:
    """Return clean events by clean and dirty ones; None without any."""
    clean, dirty = totals.count(CONVERT, "events"), totals.count(CONVERT, "dirty")
    return clean / (clean + dirty) if clean + dirty else None


def reasons_of(digest: Digest) -> list[DirtyReason]:
    """Return the reasons why events were dirty, most events first."""
    known = digest.before.runs(CONVERT) > 0
    reasons = []
    for (name, reason), events in digest.total.dirty.items():
        before = digest.before.dirty.get((name, reason), 0) if known else None
        reasons.append(DirtyReason(name, reason, events, before, new=before == 0))
    return sorted(reasons, key=lambda reason: (-reason.events, reason.table, reason.reason))


def tables_of(digest: Digest, newest: Mapping[str, datetime]) -> list[TableState]:
    """Return the tables that have rows, or usually have, by name."""
    rows = digest.total.rows
    names = {*rows, *newest, *(name for totals in digest.earlier for name in totals.rows)}
    return [
        TableState(
            name,
            rows.get(name, 0),
            digest.usual(lambda totals, name=name: totals.rows.get(name, 0)),  # type: ignore[misc]
            newest.get(name),
        )
        for name in sorted(names)
    ]


def _new_reasons(reasons: Sequence[DirtyReason]) -> Iterator[str]:
    new: dict[str, list[DirtyReason]] = {}
    for reason in reasons:
        if reason.new:
            new.setdefault(reason.reason, []).append(reason)
    for code, found in new.items():
        where = formatting.table(found[0].table) if len(found) == 1 else f"{len(found)} tables"
        yield f"New among the dirty: {sum(each.events for each in found):,} {code}, {where}"


def _less_clean(share: float | None, usual: float | None) -> Iterator[str]:
    if share is not None and usual is not None and usual - share > _LOST_SHARE:
        yield f"{percent(share)} of the events are clean; {percent(usual)} are usual"


def _left_out(digest: Digest) -> Iterator[str]:
    if digest.total.count(CONVERT, "chunks_left_out"):
        yield "Chunks could not be converted, and their events may still wait: `sluice status` names them"


def _dirty_files(digest: Digest) -> Iterator[str]:
    files = digest.volume("dirty_files")
    if files.value > VOLUME_HIGH * (files.usual or 0):
        yield f"{formatting.plural(files.value, 'file')} without a clean event"


def _unknown_members(digest: Digest) -> Iterator[str]:
    members = digest.volume("unknown_members")
    if members.value > VOLUME_HIGH * (members.usual or 0):
        yield f"{formatting.plural(members.value, 'unknown member')}: no contract has them, the format has changed"


def _silent_tables(tables: Sequence[TableState]) -> Iterator[str]:
    silent = [each.table for each in tables if not each.rows and (each.usual or 0) >= ENOUGH]
    if silent:
        more = f" and {len(silent) - _NAMED:,} more" if len(silent) > _NAMED else ""
        yield f"Tables that usually have rows and had none: {', '.join(silent[:_NAMED])}{more}"


def _reason_lines(reasons: Sequence[DirtyReason]) -> tuple[str, ...]:
    if not reasons:
        return ()
    lines = [
        f"- {each.events:,} {plain(each.reason)}, {plain(formatting.table(each.table))}{' (new)' if each.new else ''}"
        for each in reasons[:_REASONS]
    ]
    more = [f"- and {len(reasons) - _REASONS:,} more"] if len(reasons) > _REASONS else []
    return ("\n".join(["Dirty events:", *lines, *more]),)


def _topics(digest: Digest, reasons: Sequence[DirtyReason], tables: Sequence[TableState]) -> tuple[Topic, ...]:
    total = digest.total
    volume = _volume_plots(digest) if digest.volume("files").value else ()
    shares = (_clean_share_plot(digest),) if clean_share(total) is not None else ()
    dirty = (_reasons_plot(digest),) if total.dirty else ()
    rows = (_rows_plot(digest, tables),) if total.rows else ()
    outcomes = (elements.outcomes_plot(digest, CONVERT),) if total.runs(CONVERT) else ()
    steps = (elements.steps_plot(digest, CONVERT),) if total.steps[CONVERT] else ()
    return (
        Topic("Volume", volume),
        Topic("Dirty events", (*shares, *dirty), _reasons_table(reasons), _NEW.format(_BEFORE[digest.period.kind])),
        Topic("Tables", rows, _tables_table(digest, tables)),
        Topic("Runs", (*outcomes, *steps)),
    )


def _reasons_table(reasons: Sequence[DirtyReason]) -> str:
    columns = {"Reason, table": "names", "Events": "number", "Before": "number", "": ""}
    rows = (
        (
            f"{in_html(each.reason)}, {in_html(formatting.table(each.table))}",
            f"{each.events:,}",
            formatting.volume("events", each.before),
            '<span class="bad">new</span>' if each.new else "",
        )
        for each in reasons
    )
    return table("reasons", columns, rows, "No event was dirty.")


def _tables_table(digest: Digest, tables: Sequence[TableState]) -> str:
    columns = {"Table": "", **dict.fromkeys(("Rows", "Usual", "Age", "Newest hour (UTC)"), "number")}
    rows = (
        (
            in_html(each.table),
            f"{each.rows:,}",
            formatting.volume("rows", each.usual),
            formatting.age(each.newest, digest.as_of) if each.newest else formatting.NOTHING,
            f"{each.newest:%Y%m%d-%H}" if each.newest else formatting.NOTHING,
        )
        for each in tables
    )
    return table("tables-list", columns, rows, "No table has rows.")


def _volume_plots(digest: Digest) -> tuple[Plot, ...]:
    hours, totals = elements.hour_labels(digest.hourly), digest.hourly.values()
    events = [
        bars(hours, [each.count(CONVERT, count) for each in totals], colour, f"%{{y:,}} {name}", name)
        for name, count, colour in (
            ("clean", "events", GOOD),
            ("dirty", "dirty", BAD),
            ("unrelated", "unrelated", QUIET),
        )
    ]
    files = bars(hours, [each.count(CONVERT, "files") for each in totals], GOOD, "%{y:,} files")
    sizes = bars(hours, [rounded(each.count(CONVERT, "bytes") / _MB) for each in totals], GOOD, "%{y:,.1f} MB")
    return (
        elements.hourly_plot(digest, "events-hourly", "Events, hourly", "Events", *events, wide=True),
        elements.hourly_plot(digest, "files-hourly", "Files, hourly", "Files", files),
        elements.hourly_plot(digest, "bytes-hourly", "Size of the files, hourly", "Size (MB)", sizes),
    )


def _clean_share_plot(digest: Digest) -> Plot:
    shares = map(clean_share, digest.parts.values())
    values = [None if share is None else rounded(100 * share) for share in shares]
    traces = [bars(elements.part_labels(digest), values, GOOD, "%{y} of the events clean")]
    title = f"Clean share, {elements.each_part(digest)}"
    return Plot("clean-share", title, elements.parts_figure(digest, traces, _PERCENT))


def _reasons_plot(digest: Digest) -> Plot:
    values = [_by_reason(totals) for totals in digest.parts.values()]
    traces = elements.stacked_bars(elements.part_labels(digest), values, "%{y:,}")
    title = f"Dirty events by reason, {elements.each_part(digest)}"
    return Plot("dirty-reasons", title, elements.stacked_figure(digest, traces, "Events"))


def _by_reason(totals: RunTotals) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (_, reason), events in totals.dirty.items():
        sums[reason] += events
    return sums


def _rows_plot(digest: Digest, tables: Sequence[TableState]) -> Plot:
    shown = list(reversed(tables))
    names, rows = [in_plot(each.table) for each in shown], [each.rows for each in shown]
    hover = "%{x:,} %{fullData.name}<extra></extra>"
    traces: list[object] = [
        go.Bar(x=rows, y=names, orientation="h", name="rows", marker={"color": GOOD}, hovertemplate=hover)
    ]
    if digest.earlier:
        usual = [each.usual for each in shown]
        mark = {"color": BAD, "symbol": "line-ns", "size": 14, "line": {"width": 3, "color": BAD}}
        traces.append(go.Scatter(x=usual, y=names, name="usual", mode="markers", marker=mark, hovertemplate=hover))
    layout = {
        "template": go.layout.Template(),
        "height": 110 + _ROW_HEIGHT * len(shown),
        "margin": {"l": 12, "r": 12, "t": 12, "b": 76},
        "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        "hovermode": "y unified",
        "bargap": 0.25,
        "xaxis": {"title": {"text": "Rows"}, "rangemode": "tozero", "fixedrange": True},
        "yaxis": {"automargin": True, "fixedrange": True, "type": "category"},
    }
    return Plot("table-rows", "Rows by table", go.Figure(data=traces, layout=layout), wide=True)
