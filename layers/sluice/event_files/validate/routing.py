"""One file: every byte to clean, dirty, unrelated or white space, and the parts must add up to the file."""

from collections.abc import Callable, Sequence

from sluice.contracts.model import Registry
from sluice.event_files.ledger.model import Counts, SourceObject
from sluice.event_files.validate.corrections import FindMedia
from sluice.event_files.validate.event_processor import Gate, lineage_of
from sluice.event_files.validate.lines import Lines
from sluice.event_files.validate.reasons import Reason
from sluice.event_files.validate.recognition import Recogniser, Recognition
from sluice.event_files.validate.records import dirty_line, place_of, unrelated_line
from sluice.event_files.validate.rules import RuleBreak
from sluice.event_files.validate.splitter import Piece, is_blank, split

MAX_EVENT_BYTES = 16 << 20
"""A larger event is dirty: one event must fit a function many times over."""

_UNRECOGNISED = Recognition()


class AccountingError(Exception):
    """The parts of a file do not add up to the file: a defect of ours, so nothing of the file is committed."""


class Gates(dict[str, Gate]):
    """The gate of each table; one is compiled when its first event comes, so that a cold start is short."""

    def __init__(self, registry: Registry, find_media: FindMedia) -> None:
        """Bind the gates to the contracts and the media look-up."""
        super().__init__()
        self.recogniser = Recogniser(registry)
        self._registry = registry
        self._find_media = find_media

    def __missing__(self, table: str) -> Gate:
        """Compile a gate."""
        gate = self[table] = Gate(self._registry.contract(table), self._find_media)
        return gate


class FileRouting:
    """Routes one file: `lines` collects what is to be written, `counts` what became of its events."""

    def __init__(self, gates: Gates, source: SourceObject) -> None:
        """Start with nothing routed."""
        self.source = source
        self.counts = Counts()
        self.lines = Lines()
        self._gates = gates
        self._recognise = gates.recogniser.recognise
        self._lineage = lineage_of(source.key)
        self._clean_bytes = self._dirty_bytes = self._unrelated_bytes = self._blank_bytes = 0
        self._seamless = True

    def route(self, data: bytes | bytearray, full_at: int, on_full: Callable[[Lines], None]) -> None:
        """Route the content of the file; hand over its lines whenever `full_at` bytes of them have come together.

        Raises:
            AccountingError: Clean, dirty, unrelated and blank bytes are not all the bytes there are.
        """
        view = memoryview(data)
        end = events = 0
        for piece in split(data, MAX_EVENT_BYTES):
            start, stop, _, _ = piece
            if start != end:
                self._blank(data, end, start)
            end = stop
            events += 1
            self._route(piece, view[start:stop])
            if self.lines.size >= full_at:
                self._count_clean()
                on_full(self.lines)
                self.lines = Lines()
        self.counts.events += events
        self._count_clean()
        self._blank(data, end, len(data))
        self._assert_sums(len(data))

    def refuse(self, reason: Reason) -> None:
        """Put the whole file on record as dirty, for a reason that is not in one of its pieces."""
        self.counts.events += 1
        self._dirty(Piece(0, 0, None), memoryview(b""), _UNRECOGNISED, reason)

    def _count_clean(self) -> None:
        for table, lines in self.lines.clean.items():
            self.counts.clean[table] += len(lines)

    def _blank(self, data: bytes | bytearray, start: int, end: int) -> None:
        if is_blank(data, start, end):
            self._blank_bytes += end - start
        else:  # these bytes were lost, or taken twice
            self._seamless = False

    def _route(self, piece: Piece, raw: memoryview) -> None:
        start, _, event, flaw = piece
        if event is None:
            self._dirty(piece, raw, _UNRECOGNISED, flaw or Reason.FRAGMENT)
            return
        known = self._recognise(event)
        if known.contract is None:
            self._turn_away(piece, raw, known)
            return
        table = known.contract.table
        admitted = self._gates[table].admit(event, raw, self._lineage % start, self.counts)
        if isinstance(admitted, list):
            self._dirty(piece, raw, known, Reason.RULE_BROKEN, admitted)
        else:
            self.lines.add_clean(table, admitted)
            self._clean_bytes += len(raw)

    def _turn_away(self, piece: Piece, raw: memoryview, known: Recognition) -> None:
        if known.reason:
            self._dirty(piece, raw, known, known.reason)
        else:
            self._unrelated(piece, raw)

    def _dirty(
        self, piece: Piece, raw: memoryview, known: Recognition, reason: Reason, breaks: Sequence[RuleBreak] = ()
    ) -> None:
        place = place_of(self.source, piece.start, piece.end)
        self.lines.add_dirty(dirty_line(reason, known, breaks, piece.event, place, raw))
        self.counts.dirty[known.contract.table if known.contract else "-", reason] += 1
        self._dirty_bytes += len(raw)

    def _unrelated(self, piece: Piece, raw: memoryview) -> None:
        self.lines.add_unrelated(unrelated_line(place_of(self.source, piece.start, piece.end), raw))
        self.counts.unrelated += 1
        self._unrelated_bytes += len(raw)

    def _assert_sums(self, size: int) -> None:
        parts = (self._clean_bytes, self._dirty_bytes, self._unrelated_bytes, self._blank_bytes)
        counted = self.counts.clean.total() + self.counts.dirty.total() + self.counts.unrelated
        if not self._seamless or sum(parts) != size or counted != self.counts.events:
            raise AccountingError(
                f"{self.source.key}: {size} bytes came in, but clean, dirty, unrelated and blank bytes are {parts}; "
                f"{self.counts.events} events, {counted} of them counted; pieces overlap or leave gaps: "
                f"{not self._seamless}. Nothing of the file was committed: report it"
            )
