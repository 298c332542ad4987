"""Gaps and anomalies as ranges of hours."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sluice.html_report.page import table
from sluice.html_report.text import names_of
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from sluice.vendor_exports.delivery.model import Slot

VOLUME_LOW, VOLUME_HIGH = 0.5, 2.0
"""Size against the usual one: ordinary business moves it by a third; half or double is mostly a changed export."""

_SHOWN = 10  # highlights that are seen at once


@dataclass(frozen=True, slots=True)
class Highlight:
    """A gap or an anomaly in consecutive hours: `what` describes it, `names` are the tables concerned, untrusted."""

    first: Slot
    last: Slot
    hours: int
    what: str
    names: tuple[str, ...] = ()


def lost_hours(rows: Sequence[SlotHistory]) -> list[Highlight]:
    """Return the hours without delivery, the longest first; the rows are in the order of their slots."""
    return _heaviest_first(_highlight(run, "No delivery") for run in _runs(rows, lambda row: not row.delivered))


def missing_tables(rows: Sequence[SlotHistory]) -> list[Highlight]:
    """Return what deliveries lacked, table by table, those of the same hours together; the most tables' hours first."""
    runs: dict[str, list[tuple[Slot, Slot]]] = defaultdict(list)
    for row in rows:
        for name in row.missing if row.delivered else ():
            goes_on = runs[name] and runs[name][-1][1].after() == row.slot
            runs[name].append((runs[name].pop()[0] if goes_on else row.slot, row.slot))
    names: dict[tuple[Slot, Slot], list[str]] = defaultdict(list)
    for name in sorted(runs):
        for ends in runs[name]:
            names[ends].append(name)
    return _heaviest_first(
        Highlight(*ends, _hours(*ends), _count(lacking, "missing"), tuple(lacking)) for ends, lacking in names.items()
    )


def gap_lists(rows: Sequence[SlotHistory], none: str) -> str:
    """Return every gap, lost hours and missing tables apart; `none` stands for both where there is nothing."""
    lost, lacking = lost_hours(rows), missing_tables(rows)
    if not (lost or lacking):
        return highlight_list("no-gaps", (), none)
    return (
        f"<h3>Lost hours</h3>{highlight_list('lost-hours', lost, 'Every hour was delivered.')}"
        f"<h3>Missing tables</h3>{highlight_list('missing-tables', lacking, 'No delivery lacks a table.')}"
    )


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
    """Return a table of highlights with the id `name`; those after the first ones unfold."""
    columns = {"Slots (UTC)": "", "Hours": "number", "What": "names"}
    rows = ((_slots(each), f"{each.hours:,}", _said(each)) for each in highlights)
    return table(name, columns, rows, none, _SHOWN)


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


def _heaviest_first(highlights: Iterable[Highlight]) -> list[Highlight]:
    """Sort by tables and hours concerned, the newest first where they are as many."""
    return sorted(highlights, key=lambda each: (each.hours * max(len(each.names), 1), each.last), reverse=True)


def _hours(first: Slot, last: Slot) -> int:
    return (last.hour - first.hour) // timedelta(hours=1) + 1


def _newest_first(highlights: list[Highlight]) -> list[Highlight]:
    return sorted(highlights, key=lambda highlight: (highlight.last, highlight.first), reverse=True)


def _count(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {'table' if len(names) == 1 else 'tables'} {what}"


def volume_ratio(row: SlotHistory) -> float | None:
    """Return the size of a delivery as a multiple of the usual one; None where either is not known."""
    return row.size / row.usual_size if row.delivered and row.usual_size else None


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
