"""The plots of the report."""

from collections.abc import Sequence

from sluice.history.model import SlotHistory
from sluice.history.report.aggregate import Period
from sluice.history.report.plots.calendar import calendar
from sluice.history.report.plots.jobs import job_plots
from sluice.history.report.plots.tables import table_plots
from sluice.history.report.plots.volume import volume_plots
from sluice.report.drawing import Plot

__all__ = ["Plot", "calendar", "plots_by_topic"]


def plots_by_topic(rows: Sequence[SlotHistory], days: Sequence[Period]) -> dict[str, list[Plot]]:
    """Return the ten plots of hours and days by what they are about; the rows are in the order of their slots."""
    return {"Volume": volume_plots(rows), "Jobs": job_plots(rows, days), "Tables": table_plots(rows, days)}
