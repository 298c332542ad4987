"""The body of the page: headline, service level, findings, plots by topic."""

from collections.abc import Mapping, Sequence

from sluice.html_report.drawing import Plot
from sluice.html_report.sections import cards, navigation, section
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.aggregate import latest, monthly
from sluice.vendor_exports.completeness.report.headline import headline
from sluice.vendor_exports.completeness.report.highlights import anomalies, gaps
from sluice.vendor_exports.completeness.report.levels import DAY_LEVEL, MONTH_LEVEL, VOLUME_HIGH, VOLUME_LOW
from sluice.vendor_exports.completeness.report.lists import findings_list, months_table

_MEANING = (
    f"A job is in level when it was delivered with every expected table, a day when {DAY_LEVEL:.0%} of its jobs are, "
    f"a month when {MONTH_LEVEL:.0%} are. Days in level are blue; those out are orange, the darker the worse."
)
_ODD = (
    f"Unexpected tables, changes of the schema, and volumes under {VOLUME_LOW} or over {VOLUME_HIGH} times the usual "
    "for the hour of the week."
)
_READING = (
    "All times are UTC. Plots of hours open on the last 30 days, their buttons show less or all; drag to zoom in, "
    "double-click to go back."
)


def body_of(
    rows: Sequence[SlotHistory], out_of_scope: Sequence[str], level: Plot, topics: Mapping[str, Sequence[Plot]]
) -> str:
    """Return the body for one or more rows in the order of their slots; the plots' places are left empty."""
    open_gaps = gaps(rows)
    parts = [
        headline(latest(rows), open_gaps, rows[-1], out_of_scope),
        navigation(["Service level", "Gaps", "Anomalies", *topics], _READING),
        section("Service level", _MEANING, cards([level]) + months_table(monthly(rows))),
        section("Gaps", "", findings_list("open-gaps", open_gaps, "Every job came with all its tables.")),
        section("Anomalies", _ODD, findings_list("odd-jobs", anomalies(rows), "Nothing out of the ordinary.")),
        *(section(topic, "", cards(plots)) for topic, plots in topics.items()),
    ]
    return "\n".join(parts)
