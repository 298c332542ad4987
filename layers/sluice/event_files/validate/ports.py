"""What validation needs of the outside world."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from sluice.event_files.ledger.model import ChunkRecord, SourceObject, SourceRecord


class SourceGoneError(Exception):
    """The object was deleted or replaced before it was read."""


class SourceUnreadableError(Exception):
    """We may not read the object."""


class AlreadyRecordedError(Exception):
    """Somebody else recorded some of the source objects first; nothing was committed."""

    def __init__(self, sources: frozenset[SourceObject]) -> None:
        """Keep which ones."""
        super().__init__(f"{len(sources)} source objects were recorded by another invocation")
        self.sources = sources


class SourceStore(Protocol):
    """The producers' buckets."""

    def read(self, source: SourceObject, max_bytes: int) -> tuple[int, bytes | None]:
        """Return the object's size and body; None for a body larger than `max_bytes`.

        Raises SourceGoneError, SourceUnreadableError.
        """


class Ledger(Protocol):
    """What became of every source object."""

    def finished(self, sources: Iterable[SourceObject]) -> frozenset[SourceObject]:
        """Return those of `sources` that have a final record."""

    def commit(self, chunks: Sequence[ChunkRecord], records: Sequence[SourceRecord]) -> None:
        """Record all or nothing, at most 100 items. Raises AlreadyRecordedError."""

    def note(self, record: SourceRecord) -> None:
        """Record what is not final, unless a final record is there."""


class MediaLibrary(Protocol):
    """The media bucket, looked up, never listed."""

    def find(self, medialib: str, media_id: str) -> str | None:
        """Return the ``s3://`` URI of the first object whose key contains ``<medialib>/<media_id>``."""
