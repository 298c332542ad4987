"""Contents of files: bytes in memory, or any number of bytes generated while they are read."""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

Chunks = Callable[[int, int], Iterator[bytes]]
"""Reads bytes from a position to before another."""

_BLOCK = 1 << 18
_INDEX_BYTES = 8


@dataclass(frozen=True)
class Content:
    """Bytes that can be read from any position; `size` is their number."""

    size: int
    chunks: Chunks

    @cached_property
    def md5(self) -> str:
        """The MD5 of all bytes, in hexadecimal; reads them once."""
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in self.chunks(0, self.size):
            digest.update(chunk)
        return digest.hexdigest()

    def read(self) -> bytes:
        """Return all bytes."""
        return b"".join(self.chunks(0, self.size))

    def sent_as(self, size: int, chunks: Chunks) -> "Content":
        """Return other bytes, or the same in another way, under the MD5 of these."""
        content = Content(size, chunks)
        content.__dict__["md5"] = self.md5
        return content


def stored(body: bytes) -> Content:
    """Return bytes in memory."""
    return Content(len(body), lambda start, stop: iter((body[start:stop],)))


def generated(size: int, seed: int) -> Content:
    """Return bytes generated while they are read, the same for the same seed; no two blocks are equal."""
    rest = random.Random(seed).randbytes(_BLOCK - _INDEX_BYTES)  # noqa: S311 - a seed makes it repeatable

    def chunks(start: int, stop: int) -> Iterator[bytes]:
        stop = min(stop, size)
        while start < stop:
            index, offset = divmod(start, _BLOCK)
            end = min(stop - index * _BLOCK, _BLOCK)
            yield (index.to_bytes(_INDEX_BYTES) + rest)[offset:end]
            start = index * _BLOCK + end

    return Content(size, chunks)


def truncated(whole: Content, size: int) -> Content:
    """Return the first bytes of a content, with the MD5 of the whole."""
    return whole.sent_as(size, lambda start, stop: whole.chunks(start, min(stop, size)))
