"""The section of the vendor's exports in digests: hours that lack an export or tables of it."""

from collections.abc import Iterable, Iterator, Sequence

from sluice.html_report.page import Topic, figure_card
from sluice.html_report.plots import BAD, GOOD, Plot, bars
from sluice.observability import formatting
from sluice.observability.digest import elements
from sluice.observability.digest.elements import success_card, success_line
from sluice.observability.digest.model import Digest, Section, SectionSources
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.observations import observations_of
from sluice.vendor_exports.completeness.report.highlights import gap_lists
from sluice.vendor_exports.completeness.slot_history import SlotHistory, derive
from sluice.vendor_exports.run_summary import EXPORT


def read_section(digest: Digest, sources: SectionSources) -> Section:
    """Return the section of an `environment` without the tables `out_of_scope`, both named by the settings."""
    state = sources.lake.find(state_key(Environment(sources.settings["environment"])))
    out_of_scope = [table for table in sources.settings["out_of_scope"].split(",") if table]
    return section_of(digest, derive(observations_of(state), out_of_scope))


def section_of(digest: Digest, histories: Iterable[SlotHistory]) -> Section:
    """Return the section; rows of the histories outside of the period do not matter."""
    window = digest.period.window
    hours = sorted((row for row in histories if window.holds(row.slot.hour)), key=lambda row: row.slot)
    whole = sum(row.delivered and not row.missing for row in hours)
    none = "Every export came with all its tables." if hours else "The histories know no export of this time."
    drawn = (_tables_plot(digest, hours),) if hours else ()
    return Section(
        cards=(_card(digest, whole, len(hours)),),
        topics=(Topic("Exports", drawn, gap_lists(hours, none)),),
        lines={"Exports": f"{whole:,} of {len(hours):,} hours came whole" if hours else success_line(digest, EXPORT)},
        broken=tuple(_broken(digest, len(hours) - whole, len(hours))),
        members={
            "exports": {
                "hours": len(hours),
                "whole": whole,
                "gaps": [str(row.slot) for row in hours if not row.delivered or row.missing],
            }
        },
        is_empty=not hours,
    )


def _card(digest: Digest, whole: int, hours: int) -> str:
    if not hours:
        return success_card(digest, EXPORT, "Exports")
    note, mark = f"{whole:,} of {hours:,} hours", "good" if whole == hours else "bad"
    return figure_card("Exports that came whole", formatting.share(whole / hours), note, mark)


def _broken(digest: Digest, lacking: int, hours: int) -> Iterator[str]:
    if lacking:
        yield f"{lacking:,} of {hours:,} hours lack an export or tables of it"
    if missing := digest.volume("export_missing").value:
        yield f"{formatting.plural(missing, 'promised export file')} never arrived"


def _tables_plot(digest: Digest, hours: Sequence[SlotHistory]) -> Plot:
    labels = elements.hour_labels(row.slot.hour for row in hours)
    came = [row.tables if row.delivered else 0 for row in hours]
    lacking = [len(row.missing) if row.expected else int(not row.delivered) for row in hours]
    traces = (
        bars(labels, came, GOOD, "%{y:,} tables came", "tables that came"),
        bars(labels, lacking, BAD, "%{y:,} missing", "missing"),
    )
    return elements.hourly_plot(digest, "exports-hourly", "Tables of the exports, hourly", "Tables", *traces, wide=True)
