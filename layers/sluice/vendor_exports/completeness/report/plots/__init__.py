"""The plots of the report."""

from collections.abc import Sequence

from sluice.html_report.drawing import Plot
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.aggregate import Period
from sluice.vendor_exports.completeness.report.plots.calendar import calendar
from sluice.vendor_exports.completeness.report.plots.jobs import job_plots
from sluice.vendor_exports.completeness.report.plots.tables import table_plots
from sluice.vendor_exports.completeness.report.plots.volume import volume_plots

__all__ = ["Plot", "calendar", "plots_by_topic"]


def plots_by_topic(rows: Sequence[SlotHistory], days: Sequence[Period]) -> dict[str, list[Plot]]:
    """Return the ten plots of hours and days by what they are about; the rows are in the order of their slots."""
    return {"Volume": volume_plots(rows), "Jobs": job_plots(rows, days), "Tables": table_plots(rows, days)}
