"""A bucket kept in memory, with ETags as S3 gives them: of the content, so that what comes back is not told apart."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sluice.vendor_exports.completeness.ports import Stored


def nothing() -> None:
    """Happen between two calls."""


@dataclass
class MemoryBucket:
    """Folders of exports and the histories' files; `between` happens before every call."""

    objects: dict[str, bytes] = field(default_factory=dict)
    between: Callable[[], None] = nothing
    written: list[str] = field(default_factory=list)

    def walk(self, prefix: str) -> Iterator[tuple[str, int]]:
        self.between()
        yield from ((key, len(body)) for key, body in sorted(self.objects.items()) if key.startswith(prefix))

    def list_all(self, prefixes: Iterable[str]) -> Iterator[tuple[str, int]]:
        for prefix in prefixes:
            yield from self.walk(prefix)

    def read_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        self.between()
        bodies = [self.objects.get(key) for key in keys]
        return [None if body is None or len(body) > max_bytes else body for body in bodies]

    def read(self, key: str) -> Stored | None:
        self.between()
        body = self.objects.get(key)
        return None if body is None else Stored(body, etag(body))

    def write(self, key: str, body: bytes) -> None:
        self.between()
        self._put(key, body)

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        stored = self.read(key)
        if (stored and stored.etag) != etag:
            return False
        self._put(key, body)
        return True

    def _put(self, key: str, body: bytes) -> None:
        self.objects[key] = body
        self.written.append(key)


def etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
