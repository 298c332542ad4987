"""The service level: the targets of jobs, days and months, and what became of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from sluice.vendor_exports.completeness.slot_history import SlotHistory

JOB_TARGET = 1.0
"""Completeness of a job: readers join its tables, so one that is missing spoils the hour."""

DAY_TARGET = 1.0
"""Share of a day's jobs on target: daily figures are made of all its hours."""

MONTH_TARGET = 0.99
"""Share of a month's jobs on target: some seven hours, the room for one outage that people mend in a working day."""


def is_on_target(row: SlotHistory) -> bool:
    """Tell whether a job came and was complete."""
    return row.delivered and row.completeness >= JOB_TARGET


WINDOWS = (("Last 24 hours", 24), ("Last 7 days", 7 * 24), ("Last 30 days", 30 * 24))
"""Title and hours of the spans the headline looks at."""


@dataclass(frozen=True, slots=True)
class Period:
    """The jobs of some hours, one expected per hour; `tables_…`, `completeness` and `size` are means of the hours.

    `label` is ``2026-01-31`` or ``2026-01``; jobs `on_target` were delivered and complete.
    """

    label: str
    expected: int
    delivered: int
    on_target: int
    tables_expected: float
    tables_missing: float
    completeness: float
    size: float

    @classmethod
    def of(cls, label: str, rows: Sequence[SlotHistory]) -> "Period":
        """Sum up the rows of one or more hours."""
        return cls(
            label=label,
            expected=len(rows),
            delivered=sum(row.delivered for row in rows),
            on_target=sum(map(is_on_target, rows)),
            tables_expected=fmean(len(row.expected) for row in rows),
            tables_missing=fmean(len(row.missing) for row in rows),
            completeness=fmean(row.completeness for row in rows),
            size=fmean(row.size for row in rows),
        )

    @property
    def off_target(self) -> int:
        """Number of jobs that did not come or were not complete."""
        return self.expected - self.on_target

    @property
    def tables_delivered(self) -> float:
        """Expected tables that came, mean per hour."""
        return self.tables_expected - self.tables_missing

    @property
    def success(self) -> float:
        """Share of the expected jobs that delivered."""
        return self.delivered / self.expected

    @property
    def share(self) -> float:
        """Share of the expected jobs that are on target."""
        return self.on_target / self.expected


def daily(rows: Sequence[SlotHistory]) -> list[Period]:
    """Sum up each day (UTC) that has rows; the rows are in the order of their slots."""
    return list(_grouped(rows, lambda row: f"{row.slot.hour:%Y-%m-%d}"))


def monthly(rows: Sequence[SlotHistory]) -> list[Period]:
    """Sum up each month (UTC) that has rows; the rows are in the order of their slots."""
    return list(_grouped(rows, lambda row: f"{row.slot.hour:%Y-%m}"))


def latest(rows: Sequence[SlotHistory]) -> list[Period]:
    """Sum up the headline's spans of hours that the history is longer than, up to the last row, and all rows."""
    end = rows[-1].slot
    windows = [(title, end.after(-hours)) for title, hours in WINDOWS if rows[0].slot <= end.after(-hours)]
    spans = [Period.of(title, [row for row in rows if row.slot > before]) for title, before in windows]
    return [*spans, Period.of("All time", rows)]


def _grouped(rows: Sequence[SlotHistory], label: Callable[[SlotHistory], str]) -> Iterator[Period]:
    for name, members in groupby(rows, label):
        yield Period.of(name, tuple(members))
