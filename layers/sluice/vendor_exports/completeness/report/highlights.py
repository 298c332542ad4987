"""Highlights of the histories: gaps and anomalies as ranges of hours, newest first."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from sluice.html_report.page import table
from sluice.html_report.text import names_of
from sluice.vendor_exports.completeness.report.service_level import VOLUME_HIGH, VOLUME_LOW, volume_ratio
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from sluice.vendor_exports.delivery.slots import Slot

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
