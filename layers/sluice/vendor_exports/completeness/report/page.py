"""The page of the report: headline, service level, highlights, plots by topic."""

from collections.abc import Sequence

from sluice.html_report.page import Topic, body_of, figure_card, page_of, table
from sluice.html_report.text import names_of, percent
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.report.plots import calendar, plots_by_topic
from sluice.vendor_exports.completeness.report.service_level import (
    DAY_LEVEL,
    MONTH_LEVEL,
    VOLUME_HIGH,
    VOLUME_LOW,
    Highlight,
    Period,
    anomalies,
    daily,
    gaps,
    highlight_list,
    is_in_level,
    latest,
    monthly,
)
from sluice.vendor_exports.completeness.slot_history import SlotHistory

_MB = 1_000_000
_MEANING = (
    f"A job is in level when it was delivered with every expected table, a day when {DAY_LEVEL:.0%} of its jobs are, "
    f"a month when {MONTH_LEVEL:.0%} are. Days in level are blue; those out are orange, the darker the worse."
)
_ANOMALIES = (
    f"Unexpected tables, changes of the schema, and volumes under {VOLUME_LOW} or over {VOLUME_HIGH} times the usual "
    "for the hour of the week."
)
_HINT = (
    "All times are UTC. Plots of hours open on the last 30 days, their buttons show less or all; drag to zoom in, "
    "double-click to go back."
)
_NOTHING = '<p class="card wide" id="nothing">No hour has been recorded yet: there is nothing to report.</p>'


def report_page(environment: Environment, rows: Sequence[SlotHistory], out_of_scope: Sequence[str]) -> bytes:
    """Return the report of at most one row per hour, in any order, as one HTML page; equal input gives equal bytes."""
    title = f"Vendor exports: {environment.value}"
    if not rows:
        body = f'<div class="figures">{_NOTHING}{_scope_card(out_of_scope)}</div>'
        return page_of(title, "No slots yet", body, ())
    ordered = sorted(rows, key=lambda row: row.slot)
    topics = _topics(ordered)
    subtitle = f"{len(ordered):,} hours, {ordered[0].slot} to {ordered[-1].slot} (UTC); as of the last of them"
    body = body_of(_figures(latest(ordered), gaps(ordered), ordered[-1], out_of_scope), _HINT, topics)
    return page_of(title, subtitle, body, [plot for topic in topics for plot in topic.plots])


def _topics(rows: Sequence[SlotHistory]) -> list[Topic]:
    """Return the topics of one or more rows in the order of their slots."""
    days = daily(rows)
    return [
        Topic("Service level", (calendar(days),), _months_table(monthly(rows)), _MEANING),
        Topic("Gaps", (), highlight_list("open-gaps", gaps(rows), "Every job came with all its tables.")),
        Topic("Anomalies", (), highlight_list("odd-jobs", anomalies(rows), "Nothing out of the ordinary."), _ANOMALIES),
        *(Topic(title, tuple(plots)) for title, plots in plots_by_topic(rows, days).items()),
    ]


def _figures(
    spans: Sequence[Period], open_gaps: Sequence[Highlight], last: SlotHistory, out_of_scope: Sequence[str]
) -> str:
    """Return the cards of figures."""
    levels = "".join(map(_level_card, spans))
    others = _tables_card(spans[0], spans[-1]) + _gaps_card(open_gaps) + _last_card(last) + _scope_card(out_of_scope)
    return levels + others


def _scope_card(out_of_scope: Sequence[str]) -> str:
    """Return the tables out of scope."""
    note = names_of(out_of_scope) if out_of_scope else "every table of the schema is expected"
    return (
        f'<div class="card" id="scope"><span>Tables out of scope</span><strong>{len(out_of_scope):,}</strong>'
        f'<span class="names">{note}</span></div>'
    )


def _card(title: str, figure: str, note: str, good: bool) -> str:
    return figure_card(title, figure, note, "good" if good else "bad")


def _level_card(span: Period) -> str:
    absent = span.expected - span.delivered
    note = f"Jobs: {span.in_level:,} in level, {span.out_of_level:,} out ({absent:,} not delivered)"
    return _card(span.label, percent(span.level), note, good=not span.out_of_level)


def _tables_card(day: Period, ever: Period) -> str:
    note = f"of the expected tables, last 24 hours; all time {percent(ever.completeness)}"
    return _card("Tables complete", percent(day.completeness), note, good=day.completeness == 1)


def _gaps_card(open_gaps: Sequence[Highlight]) -> str:
    hours = sum(gap.hours for gap in open_gaps)
    return _card("Open gaps", f"{len(open_gaps):,}", f"{hours:,} hours that lack a table or all", good=not open_gaps)


def _last_card(last: SlotHistory) -> str:
    note = f"{last.tables:,} of {len(last.expected):,} tables" if last.delivered else "not delivered"
    return _card("Last slot (UTC)", str(last.slot), note, good=is_in_level(last))


def _months_table(months: Sequence[Period]) -> str:
    """Return a row per month, newest first."""
    rows = [_month(month) for month in reversed(months)]
    columns = dict.fromkeys(rows[0], "number") | {"Month": "", "Level": ""}
    return table("months", columns, (tuple(row.values()) for row in rows), shown=len(rows))


def _month(month: Period) -> dict[str, str]:
    mark, level = ("good", "in") if month.level >= MONTH_LEVEL else ("bad", "out")
    return {
        "Month": month.label,
        "Level": f'<span class="{mark}">{level}</span>',
        "Jobs expected": f"{month.expected:,}",
        "Delivered": f"{month.delivered:,}",
        "Success": percent(month.success),
        "In level": f"{month.in_level:,}",
        "Out": f"{month.out_of_level:,}",
        "Share in": percent(month.level),
        "Tables complete": percent(month.completeness),
        "MB per hour": f"{month.size / _MB:,.1f}",
    }
