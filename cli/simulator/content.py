"""Contents of files: bytes in memory, or any number of bytes generated while they are read."""

import hashlib
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator

_BLOCK = 1 << 18
_INDEX_BYTES = 8


class Content(ABC):
    """Bytes that can be read from any position; `size` is their number."""

    def __init__(self, size: int) -> None:
        """Set the number of bytes."""
        self.size = size
        self._lock = threading.Lock()
        self._md5 = ""

    @property
    def md5(self) -> str:
        """The MD5 of all bytes, in hexadecimal; reads them once."""
        with self._lock:
            self._md5 = self._md5 or self._digest()
            return self._md5

    @abstractmethod
    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""

    def _digest(self) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in self.chunks(0, self.size):
            digest.update(chunk)
        return digest.hexdigest()


class StoredContent(Content):
    """Bytes in memory."""

    def __init__(self, body: bytes) -> None:
        """Keep the bytes."""
        super().__init__(len(body))
        self.body = body

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""
        yield self.body[start:stop]


class GeneratedContent(Content):
    """Bytes generated while they are read, the same for the same seed; no two blocks are equal."""

    def __init__(self, size: int, seed: int) -> None:
        """Set the number of bytes, and the seed that they depend on."""
        super().__init__(size)
        self._rest = random.Random(seed).randbytes(_BLOCK - _INDEX_BYTES)  # noqa: S311 - a seed makes it repeatable

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""
        stop = min(stop, self.size)
        while start < stop:
            index, offset = divmod(start, _BLOCK)
            end = min(stop - index * _BLOCK, _BLOCK)
            yield (index.to_bytes(_INDEX_BYTES) + self._rest)[offset:end]
            start = index * _BLOCK + end


class TruncatedContent(Content):
    """The first bytes of a content, with the MD5 of the whole."""

    def __init__(self, whole: Content, size: int) -> None:
        """Cut the content after `size` bytes."""
        super().__init__(size)
        self._whole = whole

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Read from `start` to before `stop`."""
        return self._whole.chunks(start, min(stop, self.size))

    def _digest(self) -> str:
        return self._whole.md5
