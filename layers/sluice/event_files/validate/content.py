"""The bytes of a source object, decompressed where they are gzip, whatever its name says."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's code for: expect a gzip header
_STEP = 16 << 10  # bytes decompressed at a time; 1000 times as many may come out


class ContentTooLargeError(Exception):
    """The content is larger than a file may be, or than one commit takes."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds. `truncated`: the compressed stream ended early or was damaged; `data` is what came before."""

    data: bytes | bytearray
    truncated: bool = False


def content_of(body: bytes, max_bytes: int) -> Content:
    """Return the content of an object's body.

    Raises:
        ContentTooLargeError: The content is larger than `max_bytes`; no more than that was decompressed.
    """
    if not body.startswith(_GZIP_MAGIC):
        if len(body) > max_bytes:
            raise ContentTooLargeError
        return Content(body)
    data = bytearray()
    truncated = not _decompress(body, data, max_bytes)
    return Content(data, truncated)


def _decompress(body: bytes, data: bytearray, max_bytes: int) -> bool:
    """Append the content of all gzip members of `body`; return whether the last one was whole."""
    position = 0
    while body.startswith(_GZIP_MAGIC, position):
        stream = zlib.decompressobj(_GZIP_WINDOW)
        while position < len(body) and not stream.eof:
            part, before = body[position : position + _STEP], stream.copy()
            try:
                data += stream.decompress(part)
            except zlib.error:
                data += b"".join(_before_damage(before.decompress, part))
                position = len(body)  # what is behind damage cannot be read
            else:
                position += len(part) - len(stream.unused_data)
            if len(data) > max_bytes:
                raise ContentTooLargeError
        if not stream.eof:
            return False
    return not body[position:].strip(b"\0")  # some writers pad the end with zeros


def _before_damage(decompress: Callable[[bytes], bytes], part: bytes) -> Iterator[bytes]:
    """Yield what comes out before the damage in `part`; done in one step, damage loses all of it."""
    with suppress(zlib.error):
        for byte in part:
            yield decompress(bytes((byte,)))
