"""The report's page."""

from collections.abc import Sequence

from sluice.html_report.drawing import Plot
from sluice.html_report.page import page_of
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.aggregate import daily
from sluice.vendor_exports.completeness.report.body import body_of
from sluice.vendor_exports.completeness.report.headline import scope_card
from sluice.vendor_exports.completeness.report.plots import calendar, plots_by_topic
from sluice.vendor_exports.delivery.slots import Environment

_NOTHING = '<p class="card wide" id="nothing">No hour has been recorded yet: there is nothing to report.</p>'


def report_page(environment: Environment, rows: Sequence[SlotHistory], out_of_scope: Sequence[str]) -> bytes:
    """Return the report as one HTML page, UTF-8; equal input gives equal bytes.

    Args:
        environment: The flow the rows are of.
        rows: At most one row per hour, in any order.
        out_of_scope: Tables that are not looked at.
    """
    if not rows:
        body = f'<div class="figures">{_NOTHING}{scope_card(out_of_scope)}</div>'
        return _page(environment, "No slots yet", body, ())
    ordered = sorted(rows, key=lambda row: row.slot)
    days = daily(ordered)
    level, topics = calendar(days), plots_by_topic(ordered, days)
    subtitle = f"{len(ordered):,} hours, {ordered[0].slot} to {ordered[-1].slot} (UTC); as of the last of them"
    plots = [level, *(plot for topic in topics.values() for plot in topic)]
    return _page(environment, subtitle, body_of(ordered, out_of_scope, level, topics), plots)


def _page(environment: Environment, subtitle: str, body: str, plots: Sequence[Plot]) -> bytes:
    return page_of(f"Vendor exports: {environment.value}", subtitle, body, plots)
