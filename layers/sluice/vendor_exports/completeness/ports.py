"""What the histories need of the outside world."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


class HistoryStoreError(Exception):
    """The bucket did not do what was asked; the message says where, why and what to do."""


class HistoryBusyError(Exception):
    """Others wrote the same objects each time we tried; nothing is lost, the next update does it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it stood when it was read."""

    body: bytes
    etag: str


class Folders(Protocol):
    """The folders exports land in. Every call may raise HistoryStoreError."""

    def walk(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield key and bytes of the objects under a prefix, in order of keys, no further than they are asked for."""

    def list_all(self, prefixes: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield key and bytes of every object under any of the prefixes."""

    def read_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        """Return the bytes of many objects, in order; None for one that is missing or larger than `max_bytes`."""


class HistoryFiles(Protocol):
    """State, outputs and run files. Every call may raise HistoryStoreError."""

    def read(self, key: str) -> Stored | None:
        """Return an object; None when there is none."""

    def write(self, key: str, body: bytes) -> None:
        """Write an object whole, replacing what was there."""

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        """Write an object if it is still the one with `etag` (None: if there is none); tell whether it was written."""
