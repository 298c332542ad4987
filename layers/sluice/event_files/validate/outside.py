"""Pieces of a file that become no row: a record each, or, in a flood of small ones alike, one record for many."""

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.event_files.ledger.model import Reason, SourceObject
from sluice.event_files.validate.event_processor import Recognition
from sluice.event_files.validate.lines import Lines
from sluice.event_files.validate.records import dirty_line, place_of, record_line
from sluice.event_files.validate.rules import RuleBreak
from sluice.event_files.validate.splitter import Piece, is_blank

Data = bytes | bytearray

_SMALL = 256  # bytes of a piece that its record is larger than
_PATIENCE = 1_000  # small pieces of a file that have records of their own, whatever follows them
_MOST_BYTES = 1 << 20  # that many pieces with one record may take


@dataclass(slots=True)
class _Run:
    """Pieces that follow one another and share a record."""

    first: Piece
    known: Recognition
    reason: Reason | None
    breaks: Sequence[RuleBreak]
    end: int
    count: int = 1

    def goes_on(
        self, data: Data, piece: Piece, known: Recognition, reason: Reason | None, breaks: Sequence[RuleBreak]
    ) -> bool:
        """Return whether a small piece of `data` is the next one, and like the others."""
        return (
            reason is self.reason
            and known[2:] == self.known[2:]
            and breaks == self.breaks
            and piece.end - self.first.start <= _MOST_BYTES
            and is_blank(data, self.end, piece.start)
        )


class Outside:
    """Writes the records of one file's dirty pieces, and of those that are unrelated: they have no reason."""

    def __init__(self, source: SourceObject, data: Data) -> None:
        self._source = source
        self._data = data
        self._small = 0
        self._run: _Run | None = None

    def add(
        self,
        lines: Lines,
        piece: Piece,
        known: Recognition,
        reason: Reason | None = None,
        breaks: Sequence[RuleBreak] = (),
    ) -> None:
        """Add the record of a piece to `lines`, unless it is to share one with the pieces that follow."""
        is_small = piece.end - piece.start < _SMALL
        if self._run and is_small and self._run.goes_on(self._data, piece, known, reason, breaks):
            self._run.end = piece.end
            self._run.count += 1
            return
        self.close(lines)
        self._run = _Run(piece, known, reason, breaks, piece.end)
        self._small += is_small
        if not is_small or self._small <= _PATIENCE:
            self.close(lines)

    def close(self, lines: Lines) -> None:
        """Add the record of the pieces that share one."""
        run, self._run = self._run, None
        if run is None:
            return
        start, _, event, _ = run.first
        place = place_of(self._source, start, run.end)
        if run.count > 1:
            place["count"] = run.count
            event = None
        raw = memoryview(self._data)[start : run.end]
        if run.reason is None:
            lines.add_unrelated(record_line(place, raw))
        else:
            lines.add_dirty(dirty_line(run.reason, run.known, run.breaks, event, place, raw))
