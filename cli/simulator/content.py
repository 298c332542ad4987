"""Contents of files: bytes in memory, or any number of bytes generated while they are read."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

_BLOCK = 1 << 18
_INDEX_BYTES = 8


class Content(Protocol):
    """Bytes that can be read from any position."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    @property
    def md5(self) -> str:
        """The MD5 of all of them, in hexadecimal."""

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""


class StoredContent:
    """Bytes in memory."""

    def __init__(self, body: bytes) -> None:
        """Keep the bytes."""
        self.body = body
        self.size = len(body)

    @cached_property
    def md5(self) -> str:
        """The MD5 of the bytes, in hexadecimal."""
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""
        yield self.body[start:stop]


class GeneratedContent:
    """Bytes generated while they are read, the same for the same seed; no two blocks are equal."""

    def __init__(self, size: int, seed: int) -> None:
        """Set the number of bytes, and the seed that they depend on."""
        self.size = size
        self._rest = random.Random(seed).randbytes(_BLOCK - _INDEX_BYTES)  # noqa: S311 - a seed makes it repeatable
        self._lock = threading.Lock()
        self._md5 = ""

    @property
    def md5(self) -> str:
        """The MD5 of all bytes, in hexadecimal; reads them once."""
        with self._lock:
            self._md5 = self._md5 or self._digest()
            return self._md5

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""
        stop = min(stop, self.size)
        while start < stop:
            index, offset = divmod(start, _BLOCK)
            end = min(stop - index * _BLOCK, _BLOCK)
            yield (index.to_bytes(_INDEX_BYTES) + self._rest)[offset:end]
            start = index * _BLOCK + end

    def _digest(self) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in self.chunks(0, self.size):
            digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class TruncatedContent:
    """The first bytes of a content, with the MD5 of the whole."""

    whole: Content
    size: int

    @property
    def md5(self) -> str:
        """The MD5 of the whole."""
        return self.whole.md5

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""
        return self.whole.chunks(start, min(stop, self.size))
