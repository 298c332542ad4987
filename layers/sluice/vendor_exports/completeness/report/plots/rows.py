"""Hours and days of the histories as the plots' drawing takes them."""

from collections.abc import Sequence

import plotly.graph_objects as go

from sluice.html_report.drawing import BAD, GOOD, QUIET, bars, rounded
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.aggregate import Period
from sluice.vendor_exports.completeness.report.levels import DAY_LEVEL

PERCENT = {"title": {"text": "Delivered"}, "range": [0, 104], "ticksuffix": " %"}
"""A vertical axis for shares."""

EXPECTED = {"color": QUIET, "width": 1.5, "dash": "dot"}
"""The line of what should have come."""


def hours_of(rows: Sequence[SlotHistory]) -> list[str]:
    """Return the rows' hours as Plotly reads them, UTC."""
    return [f"{row.slot.hour:%Y-%m-%d %H:00}" for row in rows]


def labels_of(days: Sequence[Period]) -> list[str]:
    """Return the days as Plotly reads them."""
    return [day.label for day in days]


def share_bars(days: Sequence[Period], shares: Sequence[float], of_what: str) -> go.Bar:
    """Return each day's share as a percentage, coloured by whether it reaches a day's level."""
    colours = [GOOD if share >= DAY_LEVEL else BAD for share in shares]
    return bars(
        labels_of(days), [rounded(100 * share) for share in shares], colours, f"%{{y}} of the {of_what} delivered"
    )
