"""The service level: what a job, a day and a month must reach to be in."""

from sluice.vendor_exports.completeness.model import SlotHistory

JOB_LEVEL = 1.0
"""Completeness of a job: readers join its tables, so one that is missing spoils the hour."""

DAY_LEVEL = 1.0
"""Share of a day's jobs in level: daily figures are made of all its hours."""

MONTH_LEVEL = 0.99
"""Share of a month's jobs in level: some seven hours, the room for one outage that people mend in a working day."""

VOLUME_LOW, VOLUME_HIGH = 0.5, 2.0
"""Size against the usual one: ordinary business moves it by a third; half or double is mostly a changed export."""


def is_in_level(row: SlotHistory) -> bool:
    """Tell whether a job came and was complete."""
    return row.delivered and row.completeness >= JOB_LEVEL


def volume_ratio(row: SlotHistory) -> float | None:
    """Return the size of a delivery as a multiple of the usual one; None where either is not known."""
    return row.size / row.usual_size if row.delivered and row.usual_size else None
