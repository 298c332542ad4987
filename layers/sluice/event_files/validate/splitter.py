"""Splitter: a file of JSON events into events with their byte offsets, whatever lies between them.

A JSON object is prefix-free: no proper prefix of a valid object is valid. So the first place where the bytes from an
opening brace parse is the object's end, and a scan for ``}`` followed by ``{"`` finds it nearly always. Where it does
not (damage, garbage, look-alikes inside strings) the parser's own error position tells how far the bytes make sense.
White space, control characters, commas and brackets frame events: lines, sequences (RFC 7464) and arrays of them alike.
Time is linear in the file's size: attempts grow geometrically, the search for survivors in damage has a budget, and a
flood of small pieces that are no events is one piece.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from sluice.event_files.ledger.model import Reason

_WHITE = b" \t\r\n"
_FRAMING = bytes(range(33)) + b",[]"  # bytes between events that say nothing, as does a byte order mark
_BLANKS = re.compile(rb"(?:[\x00-\x20,\[\]]++|\xef\xbb\xbf)*+")  # possessive: it keeps no way back, which takes memory
_NOT_WHITE = re.compile(rb"[^ \t\r\n\xef\xbb\xbf]")
_OBJECT = re.compile(rb'\{(?=[ \t\r\n]*["}])')
_BOUNDARY = re.compile(rb'\}(?=[ \t\r\n]*\{[ \t\r\n]*["}])')
_ENVELOPE = re.compile(rb'\{(?=[ \t\r\n]*"(?:version|id|detail-type|source|account|time|region|resources|detail)")')
_FRAMED_BOUNDARY = re.compile(rb"\}(?=[\x00-\x20,\[\]\xef\xbb\xbf]*" + _ENVELOPE.pattern + rb")")

_SMALLEST_WINDOW = 256
_LARGEST_FIRST_WINDOW = 65_536
_WINDOW_GROWTH = 4
_CUT_TAIL = 12  # a window may end inside a character or an escaped surrogate pair, at most this many bytes
_MOST_CLOSING = 4096  # bytes of framing behind a gap; among more, no bracket belongs to the gap
_BLOCK = 65_536
_BRACE, _CLOSING = b"{]"
_BRACKETS = {ord("["): 1, _CLOSING: -1}
_RECOVERY_BUDGET = 4  # bytes that may be parsed again in search of survivors, per byte of the file ...
_RECOVERY_ALLOWANCE = 2 << 20  # ... and for any file
_CANDIDATE_COST = 4096  # bytes that one candidate costs at least that is no event
_LARGE = 1 << 20  # bytes of an event that is too large, too, if it has ...
_MOST_VALUES = 1 << 20  # ... more values than these: each takes up to a hundred bytes of memory
_SMALL = 256  # bytes of a piece that costs more than it is worth, when it is no event ...
_PATIENCE = 64  # ... and how many more of these than events are told apart


class Piece(NamedTuple):
    """Bytes ``start:end`` of a file: an event that parsed, or bytes with the reason why they are none."""

    start: int
    end: int
    event: dict[str, Any] | None
    flaw: Reason | None = None


_new_piece = tuple.__new__  # half the cost of a named tuple's own constructor


@dataclass(frozen=True, slots=True)
class _Failure:
    """No object was parsed; the bytes made sense as far as `reach`."""

    reach: int
    unfinished: bool = False  # all of them made sense: the object goes on where they end
    too_large: bool = False


def split(data: bytes | bytearray, max_event_bytes: int) -> Iterator[Piece]:
    """Yield the pieces of `data` in order; between two pieces there is framing only.

    An event longer than `max_event_bytes` is not parsed: it comes back as `Reason.TOO_LARGE`.
    """
    return _Splitter(data, max_event_bytes).pieces()


def is_blank(data: bytes | bytearray, start: int, end: int) -> bool:
    """Return whether ``data[start:end]`` is framing between events."""
    return start == end or _BLANKS.fullmatch(data, start, end) is not None


class _Splitter:
    def __init__(self, data: bytes | bytearray, max_event_bytes: int) -> None:
        self._data = data
        self._view = memoryview(data)
        self._size = len(data)
        self._max_event_bytes = max_event_bytes
        self._short = min(_LARGEST_FIRST_WINDOW, max_event_bytes)
        self._begin = self._skip_blanks(0)
        framed = _NOT_WHITE.search(data, 0, self._begin)  # as an array, or as a sequence
        self._seam = _FRAMED_BOUNDARY if framed else _BOUNDARY
        self._searched_from = self._boundary = 0
        self._window = _SMALLEST_WINDOW
        self._next_candidate = 0
        self._budget = _RECOVERY_ALLOWANCE + _RECOVERY_BUDGET * len(data)

    def pieces(self) -> Iterator[Piece]:
        data, view, size, short = self._data, self._view, self._size, self._short
        position, boundary, patience = self._begin, 0, _PATIENCE
        boundaries = self._boundaries(0)
        while position < size:
            if boundary <= position:
                boundary = next(boundaries, size)
            piece = event = None  # a large one is let go before the next is parsed
            if patience and boundary - position <= short and data[position] == _BRACE:
                try:  # the common case, without a call: the bytes up to the next boundary are an object
                    event = orjson.loads(view[position:boundary])
                    end = boundary if boundary < size else data.rindex(b"}", position) + 1
                    piece = _new_piece(Piece, (position, end, event, None))
                except orjson.JSONDecodeError:
                    piece = None
            if piece is None:
                seam = self._seam
                piece = self._piece_at(position, boundary, patience)
                if piece.end > boundary or seam is not self._seam:  # there may be other boundaries in between
                    boundary, boundaries = 0, self._boundaries(piece.end)
            start, position, event, _ = piece
            if event and "source" in event:
                patience += patience < _PATIENCE
            elif patience and position - start < _SMALL:
                patience -= 1
            yield piece
            if position < size and data[position] != _BRACE:
                position = self._skip_blanks(position)

    def _boundaries(self, position: int) -> Iterator[int]:
        """Yield the likely ends of objects from `position` on."""
        return map(re.Match.end, self._seam.finditer(self._data, position))

    def _skip_blanks(self, position: int) -> int:
        match = _BLANKS.match(self._data, position)
        return match.end() if match else position

    def _piece_at(self, start: int, boundary: int, patience: int) -> Piece:
        if not patience:
            return self._flood_at(start)
        self._searched_from, self._boundary = start, boundary
        return self._object_at(start) if _OBJECT.match(self._data, start) else self._gap_at(start)

    def _flood_at(self, start: int) -> Piece:
        """Return everything up to the next envelope as one piece, whatever it is."""
        survivor = self._survivor(start, self._size)
        if survivor == start:
            return self._object_at(start)
        return self._flawed(start, self._size if survivor is None else survivor, Reason.FRAGMENT)

    def _gap_at(self, start: int) -> Piece:
        match = _OBJECT.search(self._data, start)
        end = match.start() if match else self._size
        return Piece(start, self._end_of_gap(start, end), None, Reason.FRAGMENT)

    def _end_of_gap(self, start: int, end: int) -> int:
        """Return where the framing behind a gap begins; brackets that close one within the gap are none."""
        if self._without_end(max(start, end - _MOST_CLOSING), end, _FRAMING) == max(start, end - _MOST_CLOSING):
            return self._without_end(start, end, _FRAMING)
        closing = self._data.count(b"]", start, end) - self._data.count(b"[", start, end)
        while self._data[end - 1] in _FRAMING and (closing > 0 or self._data[end - 1] != _CLOSING):
            closing += _BRACKETS.get(self._data[end - 1], 0)
            end -= 1
        return end

    def _without_end(self, start: int, end: int, characters: bytes) -> int:
        """Return where the last of ``start:end`` that is none of `characters` ends, block by block."""
        while start < end:
            block = self._data[max(start, end - _BLOCK) : end]
            kept = len(block.rstrip(characters))
            end -= len(block) - kept
            if kept:
                break
        return end

    def _object_at(self, start: int) -> Piece:
        found = self._decode(start)
        if isinstance(found, _Failure):
            return self._damage_at(start, found)
        self._window = min(max(2 * (found.end - start), _SMALLEST_WINDOW), _LARGEST_FIRST_WINDOW)  # the next is alike
        if not _BOUNDARY.match(self._data, found.end - 1) and _FRAMED_BOUNDARY.match(self._data, found.end - 1):
            self._seam = _FRAMED_BOUNDARY  # so are the bytes between them
        return found

    def _decode(self, start: int) -> Piece | _Failure:
        """Parse the object at `start`: up to the next boundary, else through windows of growing size."""
        boundary = self._next_boundary(start)
        if boundary - start <= self._short:
            found = self._attempt(start, boundary, cut=boundary < self._size)
            if isinstance(found, Piece) or not found.unfinished:
                return found
        return self._decode_by_windows(start)

    def _decode_by_windows(self, start: int) -> Piece | _Failure:
        largest = self._max_event_bytes + _CUT_TAIL  # so that the largest event is seen to end
        window = min(self._window, largest)
        while True:
            end = self._affordable(start, min(start + window, self._size))
            found = self._attempt(start, end, cut=end < self._size)
            if isinstance(found, Piece) and found.end - start > self._max_event_bytes:
                return _Failure(found.end, too_large=True)
            if isinstance(found, Piece) or not found.unfinished:
                return found
            if window == largest or end < min(start + window, self._size):
                return _Failure(end, too_large=True)
            if end == self._size:
                return found
            window = min(_WINDOW_GROWTH * window, largest)

    def _affordable(self, start: int, end: int) -> int:
        """Return an `end` of as many bytes, or half of them, and so on, that they hold no more values than an event."""
        marks = (b",", b":", b"[", b"{")
        while end - start > _LARGE and sum(self._data.count(mark, start, end) for mark in marks) > _MOST_VALUES:
            end = start + (end - start) // 2
        return end

    def _attempt(self, start: int, end: int, *, cut: bool) -> Piece | _Failure:
        """Parse the object at `start`; `cut` says that bytes of it may follow at `end`."""
        try:
            event = orjson.loads(self._view[start:end])
        except orjson.JSONDecodeError as error:
            return self._partial(start, end, error.pos, cut=cut)
        return Piece(start, self._data.rfind(b"}", start, end) + 1, event)

    def _partial(self, start: int, end: int, error_position: int, *, cut: bool) -> Piece | _Failure:
        """Classify bytes that did not parse whole: an object and more, a part of one, or neither."""
        try:
            reach = self._reach(start, end, error_position)
        except UnicodeDecodeError as invalid:
            return self._before_invalid(start, start + invalid.start, end, cut=cut)
        if reach == end or (cut and reach > end - _CUT_TAIL):
            return _Failure(reach, unfinished=True)
        return self._object_before(start, reach)

    def _reach(self, start: int, end: int, characters: int) -> int:
        """Return the byte behind so many characters of ``start:end``. Raises UnicodeDecodeError."""
        text = str(self._view[start:end], "utf-8")
        return start + (characters if text.isascii() else len(text[:characters].encode()))

    def _before_invalid(self, start: int, invalid: int, end: int, *, cut: bool) -> Piece | _Failure:
        """Classify bytes that are UTF-8 up to `invalid` only: damage, or a character cut by the window."""
        cut = cut and invalid > end - _CUT_TAIL
        found = self._attempt(start, invalid, cut=cut)
        return found if isinstance(found, Piece) or cut else _Failure(found.reach)

    def _object_before(self, start: int, reach: int) -> Piece | _Failure:
        end = self._data.rfind(b"}", start, reach) + 1
        if end <= start or self._data[end:reach].strip(_WHITE):
            return _Failure(reach)
        try:
            return Piece(start, end, orjson.loads(self._view[start:end]))
        except orjson.JSONDecodeError:
            return _Failure(reach)

    def _damage_at(self, start: int, failure: _Failure) -> Piece:
        """Return the bytes at `start`, which are no event, up to the first surviving event or the next boundary."""
        open_ended = failure.unfinished or failure.too_large
        limit = self._size if open_ended else self._next_boundary(failure.reach - 1)
        survivor = self._survivor(start + 1, limit)
        if failure.too_large:
            flaw = Reason.TOO_LARGE
        elif open_ended or survivor is not None:
            flaw = Reason.FRAGMENT
        else:
            flaw = Reason.INVALID_JSON
        return self._flawed(start, limit if survivor is None else survivor, flaw)

    def _survivor(self, start: int, limit: int) -> int | None:
        """Find the first whole envelope that begins in ``start:limit``; objects inside a damaged event are none.

        Once the budget is spent, candidates are skipped: each that failed must earn its cost in bytes passed over.
        """
        position = max(start, self._next_candidate)
        while position < limit and (match := _ENVELOPE.search(self._data, position, limit)):
            found = self._decode(match.start())
            if isinstance(found, Piece) and found.event and {"source", "detail"} <= found.event.keys():
                return match.start()
            stop = found.end if isinstance(found, Piece) else found.reach
            cost = max(stop - match.start(), _CANDIDATE_COST)
            self._budget -= cost
            if self._budget <= 0:
                self._next_candidate = match.start() + cost // _RECOVERY_BUDGET
            position = max(match.end(), self._next_candidate)
        return None

    def _next_boundary(self, position: int) -> int:
        if not self._searched_from <= position < self._boundary:
            match = self._seam.search(self._data, position)
            self._searched_from, self._boundary = position, match.end() if match else self._size
        return self._boundary

    def _flawed(self, start: int, end: int, flaw: Reason) -> Piece:
        return Piece(start, self._without_end(start, end, _WHITE), None, flaw)
