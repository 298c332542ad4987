"""Routing of a file: every byte is clean, dirty, unrelated or blank, and these parts must add up to the file."""

from collections.abc import Callable, Collection, Sequence

from sluice.event_files.ledger.model import Counts, Reason, SourceObject
from sluice.event_files.media import Medium, NotLookedUpError
from sluice.event_files.validate.budget import Budget
from sluice.event_files.validate.content import AccountingError, Unread
from sluice.event_files.validate.event_processor import EventProcessors, Recognition, lineage_of
from sluice.event_files.validate.hours import HOUR_LENGTH, FileHours
from sluice.event_files.validate.lines import Lines
from sluice.event_files.validate.outside import Outside
from sluice.event_files.validate.records import MAX_EVENT_BYTES, dirty_line, flaws_of, place_of
from sluice.event_files.validate.rules import RuleBreak
from sluice.event_files.validate.splitter import Piece, is_blank, split

_UNRECOGNISED = Recognition()
_CHECKED_BYTES = 64 << 10  # after so many, the budget is looked at
_TOGETHER = 4_000  # events whose media are looked up together ...
_TOGETHER_BYTES = 2 << 20  # ... or bytes of them, for parsed they take many times as much memory


class FileRouting:
    """Routes one file: collects its lines and counts its events."""

    def __init__(
        self,
        processors: EventProcessors,
        source: SourceObject,
        budget: Budget | None = None,
        look_up: Callable[[Collection[Medium]], object] = len,
        hours: FileHours | None = None,
    ) -> None:
        """Begin a file; `budget` and `hours` have no limits where none are given; `look_up` makes its media known."""
        self.source = source
        self._budget = budget or Budget()
        self._look_up = look_up
        self._hours = FileHours() if hours is None else hours
        self._hour = ""  # of the last clean event: the next is mostly of the same, and a text is hashed once
        self._aside: list[tuple[Piece, memoryview]] = []  # events whose media are not known yet
        self._aside_bytes = 0
        self._media: set[Medium] = set()
        self.counts = Counts()
        self.lines = Lines()
        self._outside = Outside(source, b"")
        self._processors = processors
        self._recognise = processors.recogniser.recognise
        self._lineage = lineage_of(source.key)
        self._clean_bytes = self._dirty_bytes = self._unrelated_bytes = self._blank_bytes = 0
        self._bytes = 0
        self._seamless = True

    def route(self, data: bytes | bytearray, full_at: int, on_full: Callable[[Lines], None]) -> None:
        """Route the content of the file; hand its lines over whenever they are `full_at` bytes or more.

        Raises:
            OverBudgetError: It takes more than it may; see `Budget.check` for this and NoTimeLeftError.
            AccountingError: Clean, dirty, unrelated and blank bytes are not all the bytes there are.
        """
        view = memoryview(data)
        self._outside = Outside(self.source, data)
        end = events = checked = 0
        for piece in split(data, MAX_EVENT_BYTES):
            start, stop, _, _ = piece
            if start != end:
                self._blank(data, end, start)
            end = stop
            events += 1
            self._route(piece, view[start:stop])
            del piece  # a large one is let go before the next is parsed
            if stop - checked >= _CHECKED_BYTES:
                self._budget.check(stop, len(data), events)
                checked = stop
                if len(self._aside) >= _TOGETHER or self._aside_bytes >= _TOGETHER_BYTES:
                    self._route_aside()
            if self.lines.size >= full_at:
                self.hand_over(on_full)
        while self._aside:  # an event may name several media
            self._route_aside()
            self._budget.check(len(data), len(data), events)
        self._outside.close(self.lines)
        self.counts.events += events
        self._bytes += len(data)
        self._count_clean()
        self._blank(data, end, len(data))
        self._assert_sums()

    def refuse(self, unread: Unread) -> None:
        """Record bytes of the object, or all of it, as dirty: they are no piece of its content."""
        self.counts.events += 1
        self._bytes += len(unread.raw)
        self._dirty_bytes += len(unread.raw)
        self.counts.dirty["-", unread.reason] += 1
        place = place_of(self.source, unread.offset, unread.offset + len(unread.raw))
        breaks = [RuleBreak("content", "", unread.message)]
        self.lines.add_dirty(dirty_line(unread.reason, _UNRECOGNISED, breaks, None, place, unread.raw))

    def hand_over(self, on_full: Callable[[Lines], None]) -> None:
        """Hand the lines over that there are so far."""
        self._count_clean()
        on_full(self.lines)
        self.lines = Lines()

    @property
    def dirty_share(self) -> float:
        """Return the part of the file that is dirty, by bytes; all of one that was refused without them."""
        return self._dirty_bytes / self._bytes if self._bytes else float(bool(self.counts.dirty))

    def _count_clean(self) -> None:
        for (table, _), lines in self.lines.clean.items():
            self.counts.clean[table] += len(lines)

    def _blank(self, data: bytes | bytearray, start: int, end: int) -> None:
        if is_blank(data, start, end):
            self._blank_bytes += end - start
        else:  # these bytes were lost, or taken twice
            self._seamless = False

    def _route(self, piece: Piece, raw: memoryview) -> None:
        start, _, event, flaw = piece
        if event is None:
            self._dirty(piece, _UNRECOGNISED, flaw or Reason.FRAGMENT, flaws_of(start, raw))
            return
        known = self._recognise(event)
        if known.contract is None:
            if known.reason:
                self._dirty(piece, known, known.reason)
            else:
                self._unrelated(piece)
            return
        table = known.contract.table
        processor = self._processors[table]
        try:
            hour = processor.time_of(event)[:HOUR_LENGTH]
            usual = hour == self._hour or hour in self._hours
        except (KeyError, TypeError):  # it has no time: its contract says so
            hour, usual = "", False
        if not usual and (too_far := self._hours.too_far(hour, known.contract.family.time)):
            self._dirty(piece, known, Reason.RULE_BROKEN, [too_far, *processor.breaks(event, raw)])
            return
        try:
            admitted = processor.process(event, raw, self._lineage % start, self.counts)
        except NotLookedUpError as error:
            self._aside.append((piece, raw))
            self._aside_bytes += len(raw)
            self._media.add(error.medium)
            return
        if isinstance(admitted, list):
            self._dirty(piece, known, Reason.RULE_BROKEN, admitted)
            return
        if not usual:
            self._hours.take(hour)
        if hour != self._hour:
            self._hour = hour
        self.lines.add_clean(table, self._hour, admitted)
        self._clean_bytes += len(raw)

    def _route_aside(self) -> None:
        """Look up the media that are not known, then route the events that name them."""
        aside, media = self._aside, self._media
        self._aside, self._aside_bytes, self._media = [], 0, set()
        self._budget.looked_up += len(media)
        self._look_up(media)
        for piece, raw in aside:
            self._route(piece, raw)

    def _dirty(self, piece: Piece, known: Recognition, reason: Reason, breaks: Sequence[RuleBreak] = ()) -> None:
        self._outside.add(self.lines, piece, known, reason, breaks)
        self.counts.dirty[known.contract.table if known.contract else "-", reason] += 1
        self._dirty_bytes += piece.end - piece.start

    def _unrelated(self, piece: Piece) -> None:
        self._outside.add(self.lines, piece, _UNRECOGNISED)
        self.counts.unrelated += 1
        self._unrelated_bytes += piece.end - piece.start

    def _assert_sums(self) -> None:
        parts = (self._clean_bytes, self._dirty_bytes, self._unrelated_bytes, self._blank_bytes)
        counted = self.counts.clean.total() + self.counts.dirty.total() + self.counts.unrelated
        if not self._seamless or sum(parts) != self._bytes or counted != self.counts.events:
            raise AccountingError(
                f"{self.source.key}: {self._bytes} bytes came in, but clean, dirty, unrelated and blank bytes are "
                f"{parts}; {self.counts.events} events, {counted} of them counted; pieces overlap or leave gaps: "
                f"{not self._seamless}. Nothing of the file was committed: report it"
            )
