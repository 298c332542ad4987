"""Content of source objects: gzip decompressed, UTF-16 and UTF-32 decoded, by their bytes, whatever their names say.

Offsets of events count bytes of the content; those of `Unread` count bytes of the object, as they are before.
"""

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sluice.event_files.ledger.model import Reason
from sluice.event_files.validate.budget import Budget
from sluice.event_files.validate.codings import DECODED, coding_of

_MEMBER = b"\x1f\x8b\x08"
_GZIP_WINDOW = 31  # zlib's code for: expect a gzip header
_STEP = 16 << 10  # bytes decompressed at a time; 1000 times as many may come out
_MOST_LAYERS = 3  # of gzip in gzip
_ATTEMPT_COST = 4096  # bytes that a look for a member behind damage costs at least
_MOST_DAMAGED = 1_000  # members of a file; behind so many, none is looked for
_CHECKED_BYTES = 1 << 20  # of a body, after which the budget is looked at
_SLICE = 1 << 20  # bytes decoded at a time
_AS_SURROGATES = {byte: 0xDC00 + byte for byte in range(256)}
_BEYOND_UNICODE = {  # runs of them, for each error that the decoder reports takes its time
    "utf-32-le": re.compile(rb"(?:..(?:[\x11-\xff].|.[\x01-\xff]))+", re.DOTALL),
    "utf-32-be": re.compile(rb"(?:(?:[\x01-\xff].|.[\x11-\xff])..)+", re.DOTALL),
    "utf-16-le": re.compile(rb"(?!)"),
    "utf-16-be": re.compile(rb"(?!)"),
}
_ACCEPTED = "plain text (UTF-8, UTF-16, UTF-32) and gzip of it are read: convert the file and upload it again"


class ContentTooLargeError(Exception):
    """The content is larger than a file may be, or than one commit takes."""


class AccountingError(Exception):
    """The parts of a file do not add up to the file: a defect of Sluice, so nothing of the file is committed."""


class Unread(NamedTuple):
    """Bytes of the object, from `offset` on, that are no content, and why; none where it ends early."""

    reason: Reason
    offset: int
    raw: memoryview
    message: str


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes of a file: UTF-8, if it is text at all; `unread` is what could not be decompressed or decoded."""

    data: bytes | bytearray
    unread: tuple[Unread, ...] = ()


def content_of(body: bytes, max_bytes: int, budget: Budget | None = None) -> Content:
    """Return the content of an object's body.

    Raises:
        ContentTooLargeError: The content, with what it was decompressed from step by step, is larger than `max_bytes`;
            no more than that was decompressed.
        OverBudgetError: It takes more time than a file may; see `Budget.check` for this and NoTimeLeftError.
    """
    if len(body) > max_bytes and not _holds_gzip(body):
        raise ContentTooLargeError
    data: bytes | bytearray = body
    unread: list[Unread] = []
    layers, left = 0, max_bytes
    while (coding := coding_of(data)) is None and _holds_gzip(data):
        if layers == _MOST_LAYERS:
            coding = "gzip"
            break
        layers += 1
        data, damaged = _Gunzip(data, left, layers, budget or Budget()).run()
        unread += damaged
        left -= len(data)
    if coding is None:
        return Content(data, tuple(unread))
    if coding in DECODED:
        return Content(_decoded(data, coding, max_bytes if data is body else left), tuple(unread))
    named = " in ".join([coding, *["gzip"] * layers])
    return Content(b"", (Unread(Reason.UNKNOWN_CODING, 0, memoryview(body), f"the file is {named}; {_ACCEPTED}"),))


def _holds_gzip(data: bytes | bytearray) -> bool:
    """Return whether a gzip member begins anywhere; no text that is JSON has its first byte."""
    first = data.find(_MEMBER[:1])
    return first >= 0 and data.find(_MEMBER, first) >= 0


class _Gunzip:
    """Decompresses all gzip members of a file, wherever they begin; bytes between them stay as they are."""

    def __init__(self, body: bytes | bytearray, max_bytes: int, layer: int, budget: Budget) -> None:
        self._body, self._view = body, memoryview(body)
        self._max_bytes = max_bytes
        self._place = "of the object" if layer == 1 else f"of what was decompressed {layer - 1} times"
        self._data = bytearray()
        self._unread: list[Unread] = []
        self._taken = 0
        self._budget = budget
        self._allowance = max_bytes  # bytes that may come out in vain, in search of a member behind damage
        self._tried = 0

    def run(self) -> tuple[bytearray, list[Unread]]:
        """Return the content, and what of the body is damaged."""
        position, checked, size = 0, 0, len(self._body)
        while position < size:
            if position - checked >= _CHECKED_BYTES:
                self._budget.check(position, size, 0)
                checked = position
            start = self._find(position)
            self._take(self._view[position:start])
            position = self._member(start) if start < size else size
        if self._taken != size:
            raise AccountingError(f"{self._taken} of {size} bytes were read. Nothing was committed: report it")
        return self._data, self._unread

    def _find(self, position: int) -> int:
        start = self._body.find(_MEMBER, position)
        return start if start >= 0 else len(self._body)

    def _take(self, part: memoryview) -> None:
        self._taken += len(part)
        self._add(part)

    def _add(self, content: bytes | memoryview) -> None:
        self._data += content
        if len(self._data) > self._max_bytes:
            raise ContentTooLargeError

    def _member(self, start: int) -> int:
        """Decompress the member at `start`, up to damage; return where the next one may begin."""
        before = len(self._data)
        end, flaw = self._inflate(start, len(self._body))
        following = end
        if flaw:
            following = self._whole_member_behind(start)
            if following < end:  # it is cut off, and what follows was taken for a part of it
                self._allowance -= len(self._data) - before
                del self._data[before:]
                end, flaw = self._inflate(start, following)
            message = f"gzip is damaged at byte {end:,} {self._place}: {flaw}; what came before is read"
            end = end if len(self._data) > before else start
            self._unread.append(Unread(Reason.TRUNCATED_GZIP, end, self._view[end:following], message))
        self._taken += following - start
        return following

    def _inflate(self, start: int, stop: int) -> tuple[int, str]:
        """Decompress ``start:stop``; return where the member ends, or where its damage begins, and what that is."""
        stream, position = zlib.decompressobj(_GZIP_WINDOW), start
        while position < stop and not stream.eof:
            part, before = self._view[position : min(position + _STEP, stop)], stream.copy()
            try:
                self._add(stream.decompress(part))
            except zlib.error as error:
                return self._before_damage(before, part, position), str(error).rpartition(": ")[2]
            position += len(part) - len(stream.unused_data)
        return position, "" if stream.eof else "it ends early"

    def _before_damage(self, stream: "zlib._Decompress", part: memoryview, position: int) -> int:
        """Decompress up to the damage in `part`, by halves: done in one step, damage loses all of it."""
        good, bad = 0, len(part)
        while bad - good > 1:
            middle, probe = (good + bad) // 2, stream.copy()
            try:
                self._add(probe.decompress(part[good:middle]))
            except zlib.error:
                bad = middle
            else:
                good, stream = middle, probe
        return position + good

    def _whole_member_behind(self, damaged: int) -> int:
        """Return where the first whole member behind the begin of a damaged one begins, or the end of the body."""
        if len(self._unread) >= _MOST_DAMAGED:
            return len(self._body)
        start = self._find(max(damaged + 1, self._tried))
        while start < len(self._body) and self._allowance > 0:
            if self._is_whole(start):
                return start
            self._tried = start + 1
            start = self._find(start + 1)
        return len(self._body)

    def _is_whole(self, start: int) -> bool:
        stream = zlib.decompressobj(_GZIP_WINDOW)
        try:
            while start < len(self._body) and not stream.eof and self._allowance > 0:
                self._allowance -= len(stream.decompress(self._view[start : start + _STEP])) + _ATTEMPT_COST
                start += _STEP
        except zlib.error:
            self._allowance -= _ATTEMPT_COST
        return stream.eof


def _decoded(data: bytes | bytearray, coding: str, max_bytes: int) -> bytearray:
    """Return text as UTF-8, without a byte order mark; what is no character becomes what is none in UTF-8."""
    text = bytearray()
    decoder = codecs.getincrementaldecoder(coding)("surrogatepass")
    for part in _slices(data):
        state, last = decoder.getstate(), len(part) < _SLICE
        try:
            characters = decoder.decode(part, last)
        except UnicodeDecodeError:  # keeping such bytes takes a call of ours for each
            kept = codecs.getincrementaldecoder(coding)("sluice.keep")
            kept.setstate(state)
            characters = kept.decode(part, last)
            decoder.setstate(kept.getstate())
        text += characters.encode("utf-8", "surrogatepass")
        if len(text) > max_bytes:
            raise ContentTooLargeError
    if text.startswith(codecs.BOM_UTF8):
        del text[:3]
    return text


def _slices(data: bytes | bytearray) -> Iterator[memoryview]:
    """Yield all of `data`; the last slice is shorter than the others, and may be empty."""
    for start in range(0, len(data) + 1, _SLICE):
        yield memoryview(data)[start : start + _SLICE]


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Write each byte that is no part of a character as a lone surrogate, so that no event with it can be clean."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    beyond = _BEYOND_UNICODE[error.encoding].match(error.object, error.start)
    end = beyond.end() if beyond else error.end
    return error.object[error.start : end].decode("latin-1").translate(_AS_SURROGATES), end


codecs.register_error("sluice.keep", _keep)
