"""What validation works on and what it leaves in the ledger."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One delivered object. Its identity is bucket, key and ETag: the same bytes under the same key are one object."""

    bucket: str
    key: str
    etag: str


class Status(StrEnum):
    """What became of a source object."""

    VALIDATED = "validated"
    REFUSED = "refused"  # larger than a file may be: not read
    GONE = "gone"  # deleted or replaced before it was read
    UNREADABLE = "unreadable"  # we may not read it; the announcement is retried and ends in the dead-letter queue


FINAL = frozenset({Status.VALIDATED, Status.REFUSED})
"""What is never looked at again."""


@dataclass(slots=True)
class Counts:
    """Events of a file or chunk. `dirty` counts by table (``-`` where it is unknown) and reason."""

    events: int = 0
    clean: Counter[str] = field(default_factory=Counter)
    dirty: Counter[tuple[str, str]] = field(default_factory=Counter)
    unrelated: int = 0
    drift: int = 0
    media_missing: int = 0

    def add(self, other: "Counts") -> None:
        """Add the counts of another file."""
        self.events += other.events
        self.clean += other.clean
        self.dirty += other.dirty
        self.unrelated += other.unrelated
        self.drift += other.drift
        self.media_missing += other.media_missing

    def dirty_by_reason(self) -> Counter[str]:
        """Dirty records by reason code, whatever their table."""
        totals: Counter[str] = Counter()
        for (_, reason), count in self.dirty.items():
            totals[reason] += count
        return totals

    def dirty_by_table(self) -> dict[str, dict[str, int]]:
        """Dirty records by table, then by reason code."""
        tables: dict[str, dict[str, int]] = {}
        for (table, reason), count in self.dirty.items():
            tables.setdefault(table, {})[reason] = count
        return tables


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What the ledger says of a source object. `size` is in bytes as delivered."""

    source: SourceObject
    status: Status
    size: int
    counts: Counts
    chunks: tuple[str, ...] = ()
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Whole rows of one table in a clean object: `length` bytes from `offset`."""

    table: str
    offset: int
    length: int
    rows: int


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """What the ledger says of a chunk.

    Attributes:
        chunk_id: Unique, grows with time; names the chunk's objects.
        segments: Where the rows are in its clean object; none when there is no such object.
        dirty_bytes: Size of its dirty object, 0 when there is none.
        files: Source objects committed with it.
        counts: What became of their events.
        source_bytes: Bytes of the source objects as delivered.
    """

    chunk_id: str
    segments: tuple[Segment, ...] = ()
    dirty_bytes: int = 0
    files: int = 0
    counts: Counts = field(default_factory=Counts)
    source_bytes: int = 0
