"""The service level: what a job, a day and a month must reach to be in; gaps and anomalies as ranges of hours."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from sluice.html_report.page import table
from sluice.html_report.text import names_of
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from sluice.vendor_exports.delivery.model import Slot

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


WINDOWS = (("Last 24 hours", 24), ("Last 7 days", 7 * 24), ("Last 30 days", 30 * 24))
"""Title and hours of the spans the headline looks at."""


@dataclass(frozen=True, slots=True)
class Period:
    """The jobs of some hours, one expected per hour; `tables_…`, `completeness` and `size` are means of the hours.

    `label` is ``2026-01-31`` or ``2026-01``; jobs `in_level` were delivered and complete.
    """

    label: str
    expected: int
    delivered: int
    in_level: int
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
            in_level=sum(map(is_in_level, rows)),
            tables_expected=fmean(len(row.expected) for row in rows),
            tables_missing=fmean(len(row.missing) for row in rows),
            completeness=fmean(row.completeness for row in rows),
            size=fmean(row.size for row in rows),
        )

    @property
    def out_of_level(self) -> int:
        """Number of jobs that did not come or were not complete."""
        return self.expected - self.in_level

    @property
    def tables_delivered(self) -> float:
        """Expected tables that came, mean per hour."""
        return self.tables_expected - self.tables_missing

    @property
    def success(self) -> float:
        """Share of the expected jobs that delivered."""
        return self.delivered / self.expected

    @property
    def level(self) -> float:
        """Share of the expected jobs that are in level."""
        return self.in_level / self.expected


def daily(rows: Sequence[SlotHistory]) -> list[Period]:
    """Sum up each day (UTC) that has rows; the rows are in the order of their slots."""
    return list(_grouped(rows, lambda row: f"{row.slot.hour:%Y-%m-%d}"))


def monthly(rows: Sequence[SlotHistory]) -> list[Period]:
    """Sum up each month (UTC) that has rows; the rows are in the order of their slots."""
    return list(_grouped(rows, lambda row: f"{row.slot.hour:%Y-%m}"))


def latest(rows: Sequence[SlotHistory]) -> list[Period]:
    """Sum up the headline's spans of hours, which end with the last row, and all rows; there is at least one."""
    end = rows[-1].slot
    spans = [Period.of(title, [row for row in rows if row.slot > end.after(-hours)]) for title, hours in WINDOWS]
    return [*spans, Period.of("All time", rows)]


def _grouped(rows: Sequence[SlotHistory], label: Callable[[SlotHistory], str]) -> Iterator[Period]:
    for name, members in groupby(rows, label):
        yield Period.of(name, tuple(members))


_SHOWN, _FOLDED = 10, 100  # highlights at once, and those that unfold: an operator works on the newest


@dataclass(frozen=True, slots=True)
class Highlight:
    """A gap or an anomaly in consecutive hours: `what` describes it, `names` are the tables concerned, untrusted."""

    first: Slot
    last: Slot
    hours: int
    what: str
    names: tuple[str, ...] = ()


def gaps(rows: Sequence[SlotHistory]) -> list[Highlight]:
    """Return slots without delivery and slots with missing tables; the rows are in the order of their slots."""
    absent = [_highlight(run, "No delivery") for run in _runs(rows, lambda row: not row.delivered)]
    incomplete = [
        _highlight(run, _count(run[0].missing, "missing"), run[0].missing)
        for run in _runs(rows, lambda row: row.missing if row.delivered else ())
    ]
    return _newest_first([*absent, *incomplete])


def anomalies(rows: Sequence[SlotHistory]) -> list[Highlight]:
    """Return unexpected tables, schema changes and unusual volumes; the rows are in the order of their slots."""
    names: list[tuple[str, Callable[[SlotHistory], tuple[str, ...]]]] = [
        ("unexpected", lambda row: row.unexpected),
        ("added to the schema", lambda row: row.change.added),
        ("removed from the schema", lambda row: row.change.removed),
        ("altered in the schema", lambda row: row.change.altered),
    ]
    of_names = [
        _highlight(run, _count(named(run[0]), what), named(run[0]))
        for what, named in names
        for run in _runs(rows, named)
    ]
    return _newest_first([*of_names, *(_highlight(run, _volume(run)) for run in _runs(rows, _volume_side))])


def highlight_list(name: str, highlights: Sequence[Highlight], none: str) -> str:
    """Return a table of highlights with the id `name`; the older ones unfold, the oldest are only counted."""
    columns = {"Slots (UTC)": "", "Hours": "number", "What": "names"}
    rows = ((_slots(each), f"{each.hours:,}", _said(each)) for each in highlights)
    return table(name, columns, rows, none, _SHOWN, _SHOWN + _FOLDED)


def _runs(rows: Iterable[SlotHistory], mark: Callable[[SlotHistory], Hashable]) -> list[list[SlotHistory]]:
    """Return the rows with a true mark, consecutive hours of equal marks together."""
    runs: list[list[SlotHistory]] = []
    for row in filter(mark, rows):
        if runs and runs[-1][-1].slot.after() == row.slot and mark(runs[-1][-1]) == mark(row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _highlight(run: Sequence[SlotHistory], what: str, names: tuple[str, ...] = ()) -> Highlight:
    return Highlight(run[0].slot, run[-1].slot, len(run), what, names)


def _newest_first(highlights: list[Highlight]) -> list[Highlight]:
    return sorted(highlights, key=lambda highlight: (highlight.last, highlight.first), reverse=True)


def _count(names: tuple[str, ...], what: str) -> str:
    return f"{len(names)} {'table' if len(names) == 1 else 'tables'} {what}"


def _volume_side(row: SlotHistory) -> str:
    ratio = volume_ratio(row)
    if ratio is None or VOLUME_LOW <= ratio <= VOLUME_HIGH:
        return ""
    return "low" if ratio < VOLUME_LOW else "high"


def _volume(run: Sequence[SlotHistory]) -> str:
    ratios = sorted({f"{volume_ratio(row):.2f}" for row in run}, key=float)
    shown = ratios[0] if len(ratios) == 1 else f"{ratios[0]} to {ratios[-1]}"
    return f"Volume {shown} times the usual"


def _slots(highlight: Highlight) -> str:
    ends = dict.fromkeys((highlight.first, highlight.last))
    return " to ".join(f'<span class="slot">{slot}</span>' for slot in ends)


def _said(highlight: Highlight) -> str:
    return f"{highlight.what}: {names_of(highlight.names)}" if highlight.names else highlight.what
