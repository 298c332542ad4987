"""Records of the ledger: source objects, chunks and the open run; keys of a chunk; the lag of the lake."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

CLEAN_PREFIX = "data/clean_json/"
DIRTY_PREFIX = "data/dirty_json/"
UNRELATED_PREFIX = "data/unrelated_json/"

# Partition keys of the ledger's table: functions have rights to items by these. Those of source objects begin with it.
SOURCES = "source#"
PENDING = "chunk#pending"
CONVERTED = "chunk#converted"
RUN = "run"
NEWEST = "newest"

CONVERTED_DAYS = 400
"""Days that the record of a converted chunk is kept: longer than a stage may keep the chunk's objects."""
DIRTY_KEPT = "dirty_kept"
"""Member of a converted chunk's record: its dirty records are rows of the table of these."""
HOUR_WORK = 16 << 10
"""Bytes of lines that are as much work to convert as one more hour of them, which is one more file."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One delivered object, as it was announced. Bytes that were under its key before, under any ETag, add nothing.

    In a versioned bucket it can still be read by its `version` when its key names another object, or none.
    """

    bucket: str
    key: str
    etag: str
    version: str = field(default="", compare=False)


class Status(StrEnum):
    """State of a source object."""

    VALIDATED = "validated"
    REFUSED = "refused"  # larger than a file may be, or takes more than it may: nothing of it was taken in
    REPEATED = "repeated"  # the same bytes were recorded under this key before, under another ETag
    GONE = "gone"  # deleted or replaced before it was read
    AGAIN = "again"  # what became of it was lost before its conversion; it was announced once more
    BEGUN = "begun"  # validated alone, since it was announced again; where it stays so, the function died of it
    FAILED = "failed"  # could not be validated, for the reason noted; its announcement comes again
    UNREADABLE = "unreadable"  # access denied; the announcement is retried and ends in the dead-letter queue

    @property
    def is_final(self) -> bool:
        """Return whether the object is never looked at again."""
        return self in {Status.VALIDATED, Status.REFUSED, Status.REPEATED}


class Reason(StrEnum):
    """The reason code of a dirty record, one per record."""

    RULE_BROKEN = "RULE_BROKEN"  # the event breaks its contract
    NO_CONTRACT = "NO_CONTRACT"  # a known family, but no contract for this service and kind
    NO_IDENTIFIER = "NO_IDENTIFIER"  # a known family, but neither kind nor service of origin can be told
    NOT_AN_EVENT = "NOT_AN_EVENT"  # a JSON object without a source
    INVALID_JSON = "INVALID_JSON"  # looks like an object, but no JSON parser may accept it
    TOO_LARGE = "TOO_LARGE"  # one event larger than an event may be
    FRAGMENT = "FRAGMENT"  # bytes that are no event: damage, garbage, separators, a flood of small objects
    TRUNCATED_GZIP = "TRUNCATED_GZIP"  # a gzip member ends early or is damaged; what came before it was read
    UNKNOWN_CODING = "UNKNOWN_CODING"  # the file is compressed or encoded in a way that is not read
    FILE_TOO_LARGE = "FILE_TOO_LARGE"  # larger than a file may be, or than one commit takes; nothing of it was taken in
    FILE_TOO_SLOW = "FILE_TOO_SLOW"  # takes more time, look-ups or hours than a file may; nothing of it was taken in


class RefusedSourcesError(Exception):
    """Some of the source objects cannot be recorded; nothing was committed."""

    why = ""

    def __init__(self, sources: frozenset[SourceObject]) -> None:
        super().__init__(f"{len(sources)} source objects {self.why}")
        self.sources = sources


class AlreadyRecordedError(RefusedSourcesError):
    """Another invocation recorded the source objects first."""

    why = "were recorded by another invocation"


class InConflictError(RefusedSourcesError):
    """Others keep writing records of the source objects."""

    why = "are being recorded by other invocations over and over; their announcements come again"


@dataclass(slots=True)
class Counts:
    """Counts of the events of a file or chunk; `dirty` is by table (``-`` where it is unknown) and reason.

    `dirty_bytes` are those of the objects, as delivered, whose content is dirty; `dirty_files` have no clean event.
    """

    events: int = 0
    clean: Counter[str] = field(default_factory=Counter)
    dirty: Counter[tuple[str, str]] = field(default_factory=Counter)
    unrelated: int = 0
    unknown_members: int = 0
    media_missing: int = 0
    dirty_bytes: int = 0
    dirty_files: int = 0

    def add(self, other: "Counts") -> None:
        """Add the counts of another file."""
        self.events += other.events
        self.clean += other.clean
        self.dirty += other.dirty
        self.unrelated += other.unrelated
        self.unknown_members += other.unknown_members
        self.media_missing += other.media_missing
        self.dirty_bytes += other.dirty_bytes
        self.dirty_files += other.dirty_files

    def dirty_by_reason(self) -> Counter[str]:
        """Return the dirty records by reason code, whatever their table."""
        totals: Counter[str] = Counter()
        for (_, reason), count in self.dirty.items():
            totals[reason] += count
        return totals

    def dirty_by_table(self) -> dict[str, dict[str, int]]:
        """Return the dirty records by table, then by reason code."""
        tables: dict[str, dict[str, int]] = {}
        for (table, reason), count in self.dirty.items():
            tables.setdefault(table, {})[reason] = count
        return tables


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Record of a source object; `size` is in bytes as delivered.

    `digest` is the MD5 of these bytes, which most ETags are: with bucket and key it is the object's identity.
    """

    source: SourceObject
    status: Status
    size: int
    counts: Counts
    chunks: tuple[str, ...] = ()
    message: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Whole rows of one table in a clean object: `length` bytes from `offset`.

    `columns` is the `columns_id` of the contract by which they are clean, `hours` the number of hours that they are of;
    "" and 0 in records of before these were kept.
    """

    table: str
    offset: int
    length: int
    rows: int
    columns: str = ""
    hours: int = 0


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """Record of a chunk: what one commit of validation wrote.

    Attributes:
        chunk_id: Unique, grows with time; names the chunk's objects.
        segments: Places of the rows in its clean object; none when there is no such object.
        dirty_length: Bytes of its dirty object, 0 when there is none.
        files: Source objects committed with it.
        counts: Counts of their events.
        source_bytes: Bytes of the source objects as delivered.
        commit_id: Its id, or that of the last chunk committed with it: a file may fill several, which stay together.
        clean_etag: ETag of its clean object: conversion reads no other; "" in records of before it was kept.
        failures: Runs in which a batch with rows of it failed for good, and no other reason was known.
    """

    chunk_id: str
    segments: tuple[Segment, ...] = ()
    dirty_length: int = 0
    files: int = 0
    counts: Counts = field(default_factory=Counts)
    source_bytes: int = 0
    commit_id: str = ""
    clean_etag: str = ""
    failures: int = 0

    @property
    def commit(self) -> str:
        """Return what it shares with the chunks that were committed with it."""
        return self.commit_id or self.chunk_id


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A chunk that cannot be read, or whose batch failed for good, so that it waits on, and why.

    It is `gone` where its object is, or a part of it. `failures` counts the runs in which its batch failed; it may be
    another chunk's fault.
    """

    chunk_id: str
    reason: str
    gone: bool = False
    files: int = 0
    events: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class OpenRun:
    """The one conversion that is going on; it has no `plan_key` until its plan is published."""

    run_id: str
    execution: str
    plan_key: str | None = None


def chunk_key(state: str, chunk_id: str) -> dict[str, str]:
    """Return the key of a chunk's record in the ledger's table, `PENDING` or `CONVERTED`."""
    return {"pk": state, "sk": chunk_id}


def clean_key(chunk_id: str) -> str:
    """Return the key of a chunk's rows, grouped by table."""
    return _object_key(CLEAN_PREFIX, chunk_id)


def dirty_key(chunk_id: str) -> str:
    """Return the key of a chunk's dirty records."""
    return _object_key(DIRTY_PREFIX, chunk_id)


def unrelated_key(chunk_id: str) -> str:
    """Return the key of a chunk's unrelated records."""
    return _object_key(UNRELATED_PREFIX, chunk_id)


def chunk_id_of(key: str) -> str:
    """Return the id of the chunk that an object belongs to."""
    return key.rpartition("/")[2].removesuffix(".jsonl")


def _object_key(prefix: str, chunk_id: str) -> str:
    return f"{prefix}{chunk_id[:4]}/{chunk_id[4:6]}/{chunk_id[6:8]}/{chunk_id}.jsonl"


@dataclass(frozen=True, slots=True)
class Lag:
    """Ages in seconds: of the oldest pending chunk (0: none waits), and by table of the end of its newest hour."""

    pending: float
    tables: Mapping[str, float]

    @property
    def newest_row(self) -> float | None:
        """Age of the newest hour of any table; None as long as no table has rows."""
        return min(self.tables.values(), default=None)


def lag(oldest_pending: datetime | None, newest_hours: Mapping[str, datetime], now: datetime) -> Lag:
    """Measure the lake at `now` (UTC). A table with rows of the hour that is going on has no age."""
    pending = _seconds(now - oldest_pending) if oldest_pending else 0.0
    return Lag(pending, {table: _seconds(now - hour - _HOUR) for table, hour in sorted(newest_hours.items())})


def _seconds(age: timedelta) -> float:
    return max(0.0, age.total_seconds())
