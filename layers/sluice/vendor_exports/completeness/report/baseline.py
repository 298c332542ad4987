"""The usual size of a delivery while the history is too young to know it for every hour of the week."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from sluice.vendor_exports.completeness.slot_history import USUAL_JOBS, SlotHistory

_DAYS_BEFORE = tuple(timedelta(days=days) for days in range(1, 8))
_HOURS_BEFORE = tuple(timedelta(hours=hours) for hours in range(1, 7 * 24 + 1))
_DAY_OF_HOURS = 24


def with_baseline(rows: Sequence[SlotHistory]) -> list[SlotHistory]:
    """Return rows with a usual size from what there is where they have none of their hour of the week.

    It is the median of the same hour of the last seven days, else of all their hours; three deliveries make one.
    """
    sizes = {row.slot.hour: row.size for row in rows if row.delivered}
    return [
        row if row.usual_size is not None else replace(row, usual_size=_usual_so_far(row.slot.hour, sizes))
        for row in rows
    ]


def _usual_so_far(hour: datetime, sizes: Mapping[datetime, int]) -> int | None:
    for steps in (_DAYS_BEFORE, _HOURS_BEFORE):
        before = [size for step in steps if (size := sizes.get(hour - step)) is not None]
        if len(before) >= USUAL_JOBS:
            return round(median(before))
    return None


def baseline_note(rows: Sequence[SlotHistory]) -> str:
    """Say that the last hours have no baseline yet, and what they are compared with; empty where all have one."""
    latest = rows[-_DAY_OF_HOURS:]
    lacking = sum(row.usual_size is None for row in latest)
    if not lacking:
        return ""
    begin = rows[0].slot.hour + timedelta(weeks=USUAL_JOBS)
    since = f", from {begin:%Y-%m-%d} on at the earliest" if begin > rows[-1].slot.hour else ""
    return (
        f"No baseline yet for {lacking} of the last {len(latest)} hours: the usual size of an hour of the week takes "
        f"{USUAL_JOBS} deliveries of it in the weeks before{since}. Until then a size is compared with the same hour "
        f"of the last seven days, or with all their hours; the first {USUAL_JOBS} deliveries with nothing."
    )
