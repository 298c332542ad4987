"""Volume: files and bytes by hour."""

from collections.abc import Sequence

from sluice.html_report.drawing import GOOD, QUIET, Plot, axis, line, over_hours, rounded, stroke
from sluice.vendor_exports.completeness.model import SlotHistory
from sluice.vendor_exports.completeness.report.plots.notes import short_note
from sluice.vendor_exports.completeness.report.plots.rows import hours_of

_MB = 1_000_000


def volume_plots(rows: Sequence[SlotHistory]) -> list[Plot]:
    """Return files and size delivered by hour."""
    return [_files(rows), _size(rows)]


def _files(rows: Sequence[SlotHistory]) -> Plot:
    notes = [short_note(row) for row in rows]
    files = [row.files for row in rows]
    delivered = line(hours_of(rows), files, "files", "%{y} files%{text}", stroke(GOOD), notes)
    return Plot("files-hourly", "Files delivered, hourly", over_hours([delivered], axis("Files")))


def _size(rows: Sequence[SlotHistory]) -> Plot:
    hours, notes = hours_of(rows), [short_note(row) for row in rows]
    sizes = [_megabytes(row.size) for row in rows]
    usual = [None if row.usual_size is None else _megabytes(row.usual_size) for row in rows]
    traces = [
        line(hours, usual, "usual", "usual %{y:,.1f} MB", stroke(QUIET, 0), fill="tozeroy"),
        line(hours, sizes, "delivered", "%{y:,.1f} MB%{text}", stroke(GOOD), notes),
    ]
    return Plot(
        "size-hourly",
        "Size delivered, hourly, and the usual for that hour of the week",
        over_hours(traces, axis("Size (MB)")),
    )


def _megabytes(size: int) -> float:
    return rounded(size / _MB)
