"""Routing of a file: every byte is clean, dirty, unrelated or blank, and these parts must add up to the file."""

import base64
import codecs
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from sluice.event_files.ledger.model import Counts, Reason, Segment, SourceObject
from sluice.event_files.validate.event_processor import EventProcessors, Recognition, lineage_of
from sluice.event_files.validate.rules import RuleBreak
from sluice.event_files.validate.splitter import Piece, is_blank, split

MAX_EVENT_BYTES = 16 << 20
"""Most bytes of an event, for it must fit a function many times over; a larger one is dirty."""
SEGMENT_BYTES = 8 << 20
"""Most bytes of a segment, unless a single line is larger; batches of a conversion are put together from segments."""

_UNRECOGNISED = Recognition()
_SLICE = 3 << 18  # text is escaped in slices, so that a huge record costs its own size only; 3 divides it for base64


@dataclass(slots=True)
class Lines:
    """NDJSON lines, each with its newline."""

    clean: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    dirty: list[bytes] = field(default_factory=list)
    unrelated: list[bytes] = field(default_factory=list)
    size: int = 0

    def add_clean(self, table: str, line: bytes) -> None:
        """Add a clean event of `table`."""
        self.clean[table].append(line)
        self.size += len(line)

    def add_dirty(self, line: bytes) -> None:
        """Add a dirty record."""
        self.dirty.append(line)
        self.size += len(line)

    def add_unrelated(self, line: bytes) -> None:
        """Add an unrelated record."""
        self.unrelated.append(line)
        self.size += len(line)

    def extend(self, other: "Lines") -> None:
        """Add all lines of another file."""
        for table, lines in other.clean.items():
            self.clean[table].extend(lines)
        self.dirty.extend(other.dirty)
        self.unrelated.extend(other.unrelated)
        self.size += other.size

    def clean_body(self) -> tuple[bytes, tuple[Segment, ...]]:
        """Return the clean object's bytes, table by table, and the segments of its rows."""
        segments: list[Segment] = []
        offset = 0
        for table in sorted(self.clean):
            for rows, length in _cut(map(len, self.clean[table])):
                segments.append(Segment(table, offset, length, rows))
                offset += length
        return b"".join(line for table in sorted(self.clean) for line in self.clean[table]), tuple(segments)


def _cut(lengths: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Yield the lines and bytes of each segment."""
    rows = size = 0
    for length in lengths:
        if rows and size + length > SEGMENT_BYTES:
            yield rows, size
            rows = size = 0
        rows += 1
        size += length
    if rows:
        yield rows, size


class AccountingError(Exception):
    """The parts of a file do not add up to the file: a defect of Sluice, so nothing of the file is committed."""


class FileRouting:
    """Routes one file: collects its lines and counts its events."""

    def __init__(self, processors: EventProcessors, source: SourceObject) -> None:
        self.source = source
        self.counts = Counts()
        self.lines = Lines()
        self._processors = processors
        self._recognise = processors.recogniser.recognise
        self._lineage = lineage_of(source.key)
        self._clean_bytes = self._dirty_bytes = self._unrelated_bytes = self._blank_bytes = 0
        self._seamless = True

    def route(self, data: bytes | bytearray, full_at: int, on_full: Callable[[Lines], None]) -> None:
        """Route the content of the file; hand its lines over whenever they are `full_at` bytes or more.

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
        """Record the whole file as dirty, for a reason that is not in one of its pieces."""
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
            if known.reason:
                self._dirty(piece, raw, known, known.reason)
            else:
                self._unrelated(piece, raw)
            return
        table = known.contract.table
        admitted = self._processors[table].process(event, raw, self._lineage % start, self.counts)
        if isinstance(admitted, list):
            self._dirty(piece, raw, known, Reason.RULE_BROKEN, admitted)
        else:
            self.lines.add_clean(table, admitted)
            self._clean_bytes += len(raw)

    def _dirty(
        self, piece: Piece, raw: memoryview, known: Recognition, reason: Reason, breaks: Sequence[RuleBreak] = ()
    ) -> None:
        place = place_of(self.source, piece.start, piece.end)
        self.lines.add_dirty(dirty_line(reason, known, breaks, piece.event, place, raw))
        self.counts.dirty[known.contract.table if known.contract else "-", reason] += 1
        self._dirty_bytes += len(raw)

    def _unrelated(self, piece: Piece, raw: memoryview) -> None:
        self.lines.add_unrelated(record_line(place_of(self.source, piece.start, piece.end), raw))
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


def dirty_line(
    reason: Reason,
    recognition: Recognition,
    breaks: Sequence[RuleBreak],
    event: dict[str, Any] | None,
    place: dict[str, Any],
    raw: memoryview,
) -> bytes:
    """Return a dirty record as one line of JSON; its last member, ``raw``, is the piece as delivered."""
    contract = recognition.contract
    head = {
        "reason": reason,
        "errors": [rule_break._asdict() for rule_break in breaks],
        "table": contract and contract.table,
        "contract_version": contract and contract.version,
        "family": recognition.family,
        "kind": recognition.kind,
        "service": recognition.service,
        "event_id": event_id(event),
        **place,
    }
    return record_line(head, raw)


def place_of(source: SourceObject, start: int, end: int) -> dict[str, Any]:
    """Return the place of a piece: its object, byte offset and length (of the decompressed content)."""
    return {
        "source_bucket": source.bucket,
        "source_key": source.key,
        "source_etag": source.etag,
        "offset": start,
        "length": end - start,
    }


def event_id(event: dict[str, Any] | None) -> str | None:
    """Return the event's own id, ``detail.id``, if it has one."""
    detail = event.get("detail") if event else None
    identifier = detail.get("id") if isinstance(detail, dict) else None
    return identifier if isinstance(identifier, str) else None


def record_line(head: dict[str, Any], raw: memoryview) -> bytes:
    """Return a record as one line of JSON: the members of `head`, then the piece as delivered."""
    if len(raw) <= _SLICE:
        return orjson.dumps({**head, **_short(raw)}, option=orjson.OPT_APPEND_NEWLINE)
    return b"".join([orjson.dumps(head)[:-1], *_raw_member(raw), b'"}\n'])


def _short(raw: memoryview) -> dict[str, str]:
    try:
        return {"raw": str(raw, "utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}


def _raw_member(raw: memoryview) -> Iterable[bytes]:
    """Return the text as a JSON string, or in base64 where it is not UTF-8."""
    try:
        return [b',"raw":"', *_escaped(raw)]
    except UnicodeDecodeError:
        return [b',"raw_base64":"', *(base64.b64encode(part) for part in _slices(raw))]


def _escaped(raw: memoryview) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for part in _slices(raw):
        yield orjson.dumps(decoder.decode(part))[1:-1]
    decoder.decode(b"", final=True)


def _slices(raw: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(raw), _SLICE):
        yield raw[start : start + _SLICE]
