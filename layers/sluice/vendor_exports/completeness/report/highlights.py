"""What a person should look at: gaps and anomalies, as ranges of hours, newest first."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.levels import VOLUME_HIGH, VOLUME_LOW, volume_ratio
from sluice.vendor_exports.delivery.slots import Slot


@dataclass(frozen=True, slots=True)
class Finding:
    """The same thing in consecutive hours.

    Attributes:
        first: First of the hours.
        last: Last of them.
        hours: Their number.
        what: What is the matter.
        names: Tables concerned, untrusted.
    """

    first: Slot
    last: Slot
    hours: int
    what: str
    names: tuple[str, ...] = ()


def gaps(rows: Sequence[SlotHistory]) -> list[Finding]:
    """Return slots without delivery and slots with missing tables; the rows are in the order of their slots."""
    absent = [_finding(run, "No delivery") for run in _runs(rows, lambda row: not row.delivered)]
    incomplete = [
        _finding(run, _count(run[0].missing, "missing"), run[0].missing)
        for run in _runs(rows, lambda row: row.missing if row.delivered else ())
    ]
    return _newest_first([*absent, *incomplete])


def anomalies(rows: Sequence[SlotHistory]) -> list[Finding]:
    """Return unexpected tables, schema changes and volumes far off; the rows are in the order of their slots."""
    names: list[tuple[str, Callable[[SlotHistory], tuple[str, ...]]]] = [
        ("unexpected", lambda row: row.unexpected),
        ("added to the schema", lambda row: row.change.added),
        ("removed from the schema", lambda row: row.change.removed),
        ("altered in the schema", lambda row: row.change.altered),
    ]
    of_names = [
        _finding(run, _count(named(run[0]), what), named(run[0])) for what, named in names for run in _runs(rows, named)
    ]
    return _newest_first([*of_names, *(_finding(run, _volume(run)) for run in _runs(rows, _volume_side))])


def _runs(rows: Iterable[SlotHistory], mark: Callable[[SlotHistory], Hashable]) -> list[list[SlotHistory]]:
    """Return the rows with a true mark, consecutive hours of equal marks together."""
    runs: list[list[SlotHistory]] = []
    for row in filter(mark, rows):
        if runs and runs[-1][-1].slot.after() == row.slot and mark(runs[-1][-1]) == mark(row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _finding(run: Sequence[SlotHistory], what: str, names: tuple[str, ...] = ()) -> Finding:
    return Finding(run[0].slot, run[-1].slot, len(run), what, names)


def _newest_first(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.last, finding.first), reverse=True)


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
