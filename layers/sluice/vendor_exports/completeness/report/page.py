"""The page of the report: headline, service level, highlights, plots by topic."""

from collections.abc import Sequence

from sluice.html_report.page import Topic, body_of, figure_card, page_of, table
from sluice.html_report.text import names_of, percent
from sluice.observability.formatting import plural, size
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.report.baseline import baseline_note, with_baseline
from sluice.vendor_exports.completeness.report.highlights import (
    VOLUME_HIGH,
    VOLUME_LOW,
    anomalies,
    gap_lists,
    highlight_list,
)
from sluice.vendor_exports.completeness.report.plots import calendar, plots_by_topic
from sluice.vendor_exports.completeness.report.service_level import (
    DAY_TARGET,
    MONTH_TARGET,
    Period,
    daily,
    is_on_target,
    latest,
    monthly,
)
from sluice.vendor_exports.completeness.slot_history import SlotHistory

_MEANING = (
    f"A job is on target when it was delivered with every expected table, a day when {DAY_TARGET:.0%} of its jobs are, "
    f"a month when {MONTH_TARGET:.0%} are. Days on target are blue; the others are orange, the darker the worse."
)
_GAPS = "The heaviest first: the most hours, times the tables that lack."
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
    topics = _topics(with_baseline(ordered), baseline_note(ordered))
    subtitle = f"{plural(len(ordered), 'hour')}, {ordered[0].slot} to {ordered[-1].slot} (UTC); as of the last of them"
    body = body_of(_figures(latest(ordered), ordered[-1], out_of_scope), _HINT, topics)
    return page_of(title, subtitle, body, [plot for topic in topics for plot in topic.plots])


def _topics(rows: Sequence[SlotHistory], baseline: str) -> list[Topic]:
    """Return the topics of one or more rows in the order of their slots; `baseline` says whether they have one."""
    days, odd = daily(rows), highlight_list("odd-jobs", anomalies(rows), "Nothing out of the ordinary.")
    notes = {"Volume": baseline}
    return [
        Topic("Service level", (calendar(days),), _months_table(monthly(rows)), _MEANING),
        Topic("Gaps", (), gap_lists(rows, "Every job came with all its tables."), _GAPS),
        Topic("Anomalies", (), odd, f"{_ANOMALIES} {baseline}".rstrip()),
        *(Topic(name, tuple(plots), note=notes.get(name, "")) for name, plots in plots_by_topic(rows, days).items()),
    ]


def _figures(spans: Sequence[Period], last: SlotHistory, out_of_scope: Sequence[str]) -> str:
    """Return the cards of figures."""
    targets = "".join(map(_target_card, spans))
    return (
        targets
        + _tables_card(spans[0], spans[-1])
        + _gaps_card(spans[-1])
        + _last_card(last)
        + _scope_card(out_of_scope)
    )


def _scope_card(out_of_scope: Sequence[str]) -> str:
    """Return the tables out of scope."""
    note = names_of(out_of_scope) if out_of_scope else "every table of the schema is expected"
    return (
        f'<div class="card" id="scope"><span>Tables out of scope</span><strong>{len(out_of_scope):,}</strong>'
        f'<span class="names">{note}</span></div>'
    )


def _card(title: str, figure: str, note: str, good: bool) -> str:
    return figure_card(title, figure, note, "good" if good else "bad")


def _target_card(span: Period) -> str:
    absent = span.expected - span.delivered
    note = f"Jobs: {span.on_target:,} on target, {span.off_target:,} not ({absent:,} not delivered)"
    return _card(span.label, percent(span.share), note, good=not span.off_target)


def _tables_card(newest: Period, ever: Period) -> str:
    note = f"of the expected tables, {newest.label.lower()}"
    older = f"; all time {percent(ever.completeness)}" if newest is not ever else ""
    return _card("Tables complete", percent(newest.completeness), note + older, good=newest.completeness == 1)


def _gaps_card(ever: Period) -> str:
    lost = ever.expected - ever.delivered
    note = f"{lost:,} lost, {ever.off_target - lost:,} lack tables"
    return _card("Open gaps", plural(ever.off_target, "hour"), note, good=not ever.off_target)


def _last_card(last: SlotHistory) -> str:
    note = f"{last.tables:,} of {len(last.expected):,} tables" if last.delivered else "not delivered"
    return _card("Last slot (UTC)", str(last.slot), note, good=is_on_target(last))


def _months_table(months: Sequence[Period]) -> str:
    """Return a row per month, newest first."""
    rows = [_month(month) for month in reversed(months)]
    columns = dict.fromkeys(rows[0], "number") | {"Month": "", "Target": ""}
    return table("months", columns, (tuple(row.values()) for row in rows), shown=len(rows))


def _month(month: Period) -> dict[str, str]:
    mark, target = ("good", "on target") if month.share >= MONTH_TARGET else ("bad", "missed")
    return {
        "Month": f'<span class="slot">{month.label}</span>',
        "Target": f'<span class="slot {mark}">{target}</span>',
        "Jobs expected": f"{month.expected:,}",
        "Delivered": f"{month.delivered:,}",
        "Share delivered": percent(month.success),
        "On target": f"{month.on_target:,}",
        "Off target": f"{month.off_target:,}",
        "Share on target": percent(month.share),
        "Tables complete": percent(month.completeness),
        "Size per hour": size(month.size),
    }
