"""The digest as one page."""

from collections.abc import Iterable, Mapping, Sequence

from sluice.html_report.drawing import Plot
from sluice.html_report.names import in_html
from sluice.html_report.page import page_of
from sluice.html_report.sections import cards, navigation, section
from sluice.observability.digest import formatting
from sluice.observability.digest.lists import (
    cost_table,
    failed_table,
    reasons_table,
    slow_table,
    tables_table,
    volumes_table,
)
from sluice.observability.digest.model import Digest
from sluice.observability.digest.periods import SpanKind
from sluice.observability.digest.plots import plots_of
from sluice.runs.model import Kind
from sluice.vendor_exports.completeness.report.highlights import gaps
from sluice.vendor_exports.completeness.report.lists import findings_list

_READING = "All times are UTC; a run counts where it started. Drag to zoom in, double-click to go back."
_NO_NEWS = '<div class="card" id="notices">Nothing out of the ordinary.</div>'
_EMPTY = '<div class="card" id="notices">No run has been recorded in this time: there is nothing to report.</div>'
_NEW = "Before: events of the {} before. What those did not have is new."
_NOTICE = 300  # characters
_STEPS = {SpanKind.DAY: "7 days", SpanKind.WEEK: "week", SpanKind.MONTH: "30 days"}


def digest_page(digest: Digest) -> bytes:
    """Return the digest as one HTML page, UTF-8, that needs no network; equal digests give equal bytes."""
    topics = plots_of(digest)
    title = f"Sluice {in_html(digest.stage)}: {digest.span.kind.value} {digest.span}"
    subtitle = f"Runs, volumes and exports (UTC), as of {digest.as_of:%Y-%m-%d %H:%M}"
    return page_of(title, subtitle, _body(digest, topics), [plot for plots in topics.values() for plot in plots])


def _body(digest: Digest, topics: Mapping[str, Sequence[Plot]]) -> str:
    tables = {
        "Volume": (_compared(digest), volumes_table(digest)),
        "Dirty events": (_NEW.format(_STEPS[digest.span.kind]), reasons_table(digest)),
        "Tables": ("", tables_table(digest)),
        "Runs": ("", failed_table(digest) + slow_table(digest)),
        "Exports": ("", findings_list("gaps", gaps(digest.exports), _no_gaps(digest))),
        "Cost": ("", cost_table(digest)),
    }
    sections = (
        section(title, note, (cards(topics[title]) if title in topics else "") + table)
        for title, (note, table) in tables.items()
    )
    notices = section("To look at", "", _notices(digest))
    return "\n".join([_headline(digest), navigation(["To look at", *tables], _READING), notices, *sections])


def _headline(digest: Digest) -> str:
    total = digest.total
    figures = (
        _rate("Conversions", total.success(Kind.CONVERT), f"{total.runs(Kind.CONVERT):,} runs"),
        _exports_card(digest),
        _clean_card(digest),
        _card("Events clean", *_against(digest, "clean")),
        _card("Rows written", *_against(digest, "rows")),
        _card("Unknown members", *_against(digest, "unknown_members")),
        _card("Cost, estimated", formatting.dollars(digest.cost.dollars), "by list prices, without watching"),
    )
    return f'<section class="figures" id="headline">{"".join(figures)}</section>'


def _card(title: str, figure: str, note: str, mark: str = "") -> str:
    marked = f' class="{mark}"' if mark else ""
    return f'<div class="card"><span>{title}</span><strong{marked}>{figure}</strong><span>{note}</span></div>'


def _rate(title: str, value: float | None, note: str) -> str:
    mark = "" if value is None else "good" if value == 1 else "bad"
    return _card(f"{title} that succeeded", formatting.share(value), note, mark)


def _exports_card(digest: Digest) -> str:
    hours = len(digest.exports)
    if not hours:
        return _rate("Exports", digest.total.success(Kind.EXPORT), f"{digest.total.runs(Kind.EXPORT):,} runs")
    whole = digest.whole_exports
    mark = "good" if whole == hours else "bad"
    return _card("Exports that came whole", formatting.share(whole / hours), f"{whole:,} of {hours:,} hours", mark)


def _clean_card(digest: Digest) -> str:
    usual = digest.usual_clean_share
    note = "of clean and dirty events" + (f"; usual {formatting.share(usual)}" if usual is not None else "")
    return _card("Clean share", formatting.share(digest.total.clean_share), note)


def _against(digest: Digest, name: str) -> tuple[str, str]:
    volume = digest.volume(name)
    usual = (
        f"usual {formatting.volume(name, volume.usual)}" if volume.usual is not None else "the usual is not known yet"
    )
    return formatting.volume(name, volume.value), usual


def _notices(digest: Digest) -> str:
    if digest.notices:
        return f'<div class="card" id="notices">{_list(digest.notices)}</div>'
    return _EMPTY if digest.is_empty else _NO_NEWS


def _list(texts: Iterable[str]) -> str:
    return f'<ul class="names">{"".join(f"<li>{in_html(text, _NOTICE)}</li>" for text in texts)}</ul>'


def _compared(digest: Digest) -> str:
    if not digest.compared:
        return "Usual: there is no earlier time to compare with yet."
    if digest.span.kind is SpanKind.MONTH or digest.compared == 1:
        return f"Usual: the {digest.span.kind.value} that is compared with, {digest.span.earlier[0].start:%Y-%m-%d} on."
    return f"Usual: the median of {digest.compared} earlier {digest.span.kind.value}s, on the same days of the week."


def _no_gaps(digest: Digest) -> str:
    return "Every export came with all its tables." if digest.exports else "The histories know no export of this time."
