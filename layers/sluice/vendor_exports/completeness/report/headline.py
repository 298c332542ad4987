"""The headline: the service level at a glance, a card per figure."""

from collections.abc import Sequence

from sluice.html_report.markup import names_of, percent
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.aggregate import Period
from sluice.vendor_exports.completeness.report.highlights import Finding
from sluice.vendor_exports.completeness.report.levels import is_in_level


def headline(spans: Sequence[Period], gaps: Sequence[Finding], last: SlotHistory, out_of_scope: Sequence[str]) -> str:
    """Return the service level at a glance."""
    levels = "".join(map(_level_card, spans))
    others = _tables_card(spans[0], spans[-1]) + _gaps_card(gaps) + _last_card(last) + scope_card(out_of_scope)
    return f'<section class="figures" id="headline">{levels}{others}</section>'


def scope_card(out_of_scope: Sequence[str]) -> str:
    """Return which tables are not looked at."""
    note = names_of(out_of_scope) if out_of_scope else "every table of the schema is expected"
    return (
        f'<div class="card" id="scope"><span>Tables out of scope</span><strong>{len(out_of_scope):,}</strong>'
        f'<span class="names">{note}</span></div>'
    )


def _card(title: str, figure: str, note: str, good: bool) -> str:
    mark = "good" if good else "bad"
    return f'<div class="card"><span>{title}</span><strong class="{mark}">{figure}</strong><span>{note}</span></div>'


def _level_card(span: Period) -> str:
    absent = span.expected - span.delivered
    note = f"Jobs: {span.in_level:,} in level, {span.out_of_level:,} out ({absent:,} not delivered)"
    return _card(span.label, percent(span.level), note, good=not span.out_of_level)


def _tables_card(day: Period, ever: Period) -> str:
    note = f"of the expected tables, last 24 hours; all time {percent(ever.completeness)}"
    return _card("Tables complete", percent(day.completeness), note, good=day.completeness == 1)


def _gaps_card(gaps: Sequence[Finding]) -> str:
    hours = sum(gap.hours for gap in gaps)
    return _card("Open gaps", f"{len(gaps):,}", f"{hours:,} hours that lack a table or all", good=not gaps)


def _last_card(last: SlotHistory) -> str:
    came = len(last.expected) - len(last.missing)
    note = f"{came:,} of {len(last.expected):,} tables" if last.delivered else "not delivered"
    return _card("Last slot (UTC)", str(last.slot), note, good=is_in_level(last))
