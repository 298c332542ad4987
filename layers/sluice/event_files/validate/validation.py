"""Validation of announced objects into committed chunks: each object's events are recorded once, or not at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sluice.contracts.model import Registry
from sluice.event_files import metrics
from sluice.event_files.ledger.model import (
    AlreadyRecordedError,
    ChunkRecord,
    Counts,
    InConflictError,
    Reason,
    SourceObject,
    SourceRecord,
    Status,
    clean_key,
    dirty_key,
    unrelated_key,
)
from sluice.event_files.media import KnownMedia, LookUpMedia
from sluice.event_files.validate.budget import Budget, NoTimeLeftError, OverBudgetError
from sluice.event_files.validate.content import ContentTooLargeError, Unread, content_of
from sluice.event_files.validate.event_processor import EventProcessors
from sluice.event_files.validate.hours import FileHours, HourLimits
from sluice.event_files.validate.lines import Lines
from sluice.event_files.validate.routing import FileRouting
from sluice.event_files.validate.source_objects import (
    ReadSource,
    SourceGoneError,
    SourceUnreadableError,
)
from sluice.lake.object_store import ObjectStore
from sluice.observability.metrics import Metric

MAX_SOURCES_PER_COMMIT = 98
"""A transaction takes 100 items: the source records, one chunk, and one to spare."""

_TOO_LARGE = "the file is larger than a file may be, or than one commit takes: split it and upload its parts"
_LONGEST_REASON = 2_000  # characters
_MAX_SPILLED_CHUNKS = (
    97  # of one file: its record, the chunk of its last lines and a check, to take all back, make it 100 items
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits: bytes of lines per chunk; bytes, seconds, looked up media and hours per file."""

    chunk_bytes: int
    max_file_bytes: int
    file_seconds: float = 120.0
    file_look_ups: int = 100_000
    hours: HourLimits | None = None

    @property
    def reserve_seconds(self) -> float:
        """Seconds kept for the last commit."""
        return self.file_seconds / 4


@dataclass(slots=True)
class Outcome:
    """Result of one invocation: committed records, objects skipped as known, those that failed, and why.

    `postponed` are those that were not begun, for no time was left to them; `seconds` is the time it took to read and
    route each object.
    """

    records: list[SourceRecord] = field(default_factory=list)
    skipped: set[SourceObject] = field(default_factory=set)
    failed: dict[SourceObject, str] = field(default_factory=dict)
    postponed: set[SourceObject] = field(default_factory=set)
    seconds: dict[SourceObject, float] = field(default_factory=dict)

    def extend(self, other: "Outcome") -> None:
        """Add the outcome of other objects."""
        self.records += other.records
        self.skipped |= other.skipped
        self.failed |= other.failed
        self.postponed |= other.postponed
        self.seconds |= other.seconds

    def totals(self) -> dict[Metric, int]:
        """Return the metrics of the invocation."""
        counts = Counts()
        for record in self.records:
            counts.add(record.counts)
        return {
            metrics.FILES_VALIDATED: len(self.records),
            metrics.FILES_SKIPPED: len(self.skipped),
            metrics.FILES_FAILED: len(self.failed),
            metrics.BYTES_READ: sum(record.size for record in self.records),
            metrics.EVENTS_CLEAN: counts.clean.total(),
            metrics.EVENTS_DIRTY: counts.dirty.total(),
            metrics.EVENTS_UNRELATED: counts.unrelated,
            metrics.BYTES_DIRTY: counts.dirty_bytes,
            metrics.FILES_DIRTY: counts.dirty_files,
            metrics.UNKNOWN_MEMBERS: counts.unknown_members,
            metrics.MEDIA_MISSING: counts.media_missing,
        }


class Ledger(Protocol):
    """Records of source objects and chunks."""

    def commit(self, chunks: Sequence[ChunkRecord], records: Sequence[SourceRecord]) -> None:
        """Record all or nothing, at most 100 items. Raises AlreadyRecordedError and InConflictError."""

    def note(self, record: SourceRecord) -> None:
        """Record an object under its ETag, unless a final record is there."""


@dataclass(slots=True)
class _RoutedFile:
    """A file that is routed, not yet committed; its `chunks` are stored already, for it was larger than one."""

    source: SourceObject
    size: int
    digest: str
    status: Status
    counts: Counts
    lines: Lines
    chunks: list[ChunkRecord]

    @property
    def identity(self) -> tuple[str, str]:
        """Return what another file has, too, where an object was replaced by its own bytes."""
        return self.source.key, self.digest


class Validation:
    """Validates announced objects."""

    def __init__(
        self,
        registry: Registry,
        read_source: ReadSource,
        chunks: ObjectStore,
        ledger: Ledger,
        look_up_media: LookUpMedia,
        limits: Limits,
        new_chunk_id: Callable[[], str],
        stopwatch: Callable[[], float],
    ) -> None:
        """Bind the adapters; `new_chunk_id` makes ids that are unique and grow with time, `stopwatch` gives seconds."""
        self._media = KnownMedia(look_up_media)
        self._processors = EventProcessors(registry, self._media.find)
        self._read_source = read_source
        self._chunks = chunks
        self._ledger = ledger
        self._limits = limits
        self._new_chunk_id = new_chunk_id
        self._stopwatch = stopwatch

    def run(self, announced: Iterable[SourceObject], seconds_left: Callable[[], float]) -> Outcome:
        """Validate objects together; one bad object fails alone.

        None is looked up: if one has a final record after all, the commit refuses it.
        """
        self._media.forget_missing()
        outcome = Outcome()
        pending: dict[tuple[str, str], _RoutedFile] = {}
        size = 0
        for source in dict.fromkeys(announced):
            budget = self._budget(seconds_left())
            if budget.available < 0:
                outcome.postponed.add(source)
                continue
            file = self._route(source, budget, outcome)
            outcome.seconds[source] = self._stopwatch() - budget.begun
            if file and file.chunks:  # it fills chunks, and a transaction, of its own
                self._commit([file], outcome)
            elif file:
                if file.identity in pending:
                    self._commit([*pending.values()], outcome)
                    pending, size = {}, 0
                pending[file.identity] = file
                size += file.lines.size
            if len(pending) >= MAX_SOURCES_PER_COMMIT or size >= self._limits.chunk_bytes:
                self._commit([*pending.values()], outcome)
                pending, size = {}, 0
        self._commit([*pending.values()], outcome)
        return outcome

    def _budget(self, seconds_left: float) -> Budget:
        available = seconds_left - self._limits.reserve_seconds
        return Budget(
            self._limits.file_seconds, self._limits.file_look_ups, available, self._stopwatch, self._stopwatch()
        )

    def _route(self, source: SourceObject, budget: Budget, outcome: Outcome) -> _RoutedFile | None:
        try:
            return self._route_body(source, budget)
        except NoTimeLeftError as error:
            outcome.failed[source] = str(error)
        except SourceGoneError as error:
            self._note_unread(source, Status.GONE, str(error), outcome)
        except SourceUnreadableError as error:
            self._note_unread(source, Status.UNREADABLE, str(error), outcome)
            outcome.failed[source] = str(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other objects of the invocation must not suffer
            outcome.failed[source] = described(error)
        return None

    def _route_body(self, source: SourceObject, budget: Budget) -> _RoutedFile:
        size, body, digest, modified = self._read_source(source, self._limits.max_file_bytes)
        hours = FileHours(self._limits.hours, modified)
        routing = FileRouting(self._processors, source, budget, self._media.look_up, hours)
        spilled: list[ChunkRecord] = []

        def spill(lines: Lines) -> None:
            if len(spilled) == _MAX_SPILLED_CHUNKS:
                raise ContentTooLargeError  # the chunks stored so far are never committed
            spilled.append(self._store(lines))

        try:
            if body is None:
                raise ContentTooLargeError
            data = self._unpacked(body, budget, routing, spill)
            del body  # as delivered, it may be as large as its content
            routing.route(data, self._limits.chunk_bytes, spill)
        except (ContentTooLargeError, OverBudgetError) as error:
            slow = isinstance(error, OverBudgetError)
            reason, message = (Reason.FILE_TOO_SLOW, str(error)) if slow else (Reason.FILE_TOO_LARGE, _TOO_LARGE)
            routing = FileRouting(self._processors, source)
            routing.refuse(Unread(reason, 0, memoryview(b""), message))
            return _routed(routing, size, digest, Status.REFUSED, [])
        return _routed(routing, size, digest, Status.VALIDATED, spilled)

    def _unpacked(
        self, body: bytes, budget: Budget, routing: FileRouting, spill: Callable[[Lines], None]
    ) -> bytes | bytearray:
        """Return the content of a body, and route what of the body is none."""
        content = content_of(body, self._limits.max_file_bytes, budget)
        for unread in content.unread:
            routing.refuse(unread)
            if routing.lines.size >= self._limits.chunk_bytes:
                routing.hand_over(spill)
        return content.data

    def _commit(self, files: Sequence[_RoutedFile], outcome: Outcome) -> None:
        """Commit `files` together; leave out those that another invocation recorded meanwhile, or holds."""
        while files:
            try:
                records = self._commit_once(files)
            except AlreadyRecordedError as error:
                outcome.skipped |= error.sources
                self._note_etags([_repeated(file) for file in files if file.source in error.sources], outcome)
                files = [file for file in files if file.source not in error.sources]
            except InConflictError as error:
                outcome.failed.update(dict.fromkeys(error.sources, str(error)))
                files = [file for file in files if file.source not in error.sources]
            except Exception as error:  # noqa: BLE001  # nothing was committed: each object is announced again
                outcome.failed.update(dict.fromkeys((file.source for file in files), described(error)))
                return
            else:
                outcome.records += records
                self._note_etags(records, outcome)
                return

    def _commit_once(self, files: Sequence[_RoutedFile]) -> list[SourceRecord]:
        lines, counts = Lines(), Counts()
        for file in files:
            lines.extend(file.lines)
            counts.add(file.counts)
        chunks = [chunk for file in files for chunk in file.chunks]
        if lines.size:
            chunks.append(self._store(lines))
        if chunks:
            size = sum(file.size for file in files)
            chunks[-1] = replace(chunks[-1], files=len(files), counts=counts, source_bytes=size)
        if len(chunks) > 1:
            chunks = [replace(chunk, commit_id=chunks[-1].chunk_id) for chunk in chunks]
        ids = tuple(chunk.chunk_id for chunk in chunks)
        records = [
            SourceRecord(file.source, file.status, file.size, file.counts, ids, digest=file.digest) for file in files
        ]
        self._ledger.commit(chunks, records)
        return records

    def _store(self, lines: Lines) -> ChunkRecord:
        """Write the objects of a chunk; they are not visible until the chunk is committed."""
        chunk_id = self._new_chunk_id()
        clean, parts = lines.clean_body()
        segments = tuple(replace(part, columns=self._processors[part.table].columns_id) for part in parts)
        bodies = {
            clean_key(chunk_id): clean,
            dirty_key(chunk_id): bytes(lines.dirty),
            unrelated_key(chunk_id): bytes(lines.unrelated),
        }
        etags = {key: self._chunks.create(key, body) for key, body in bodies.items() if body}
        clean_etag = etags.get(clean_key(chunk_id), "")
        return ChunkRecord(chunk_id, segments=segments, dirty_length=len(lines.dirty), clean_etag=clean_etag)

    def _note_unread(self, source: SourceObject, status: Status, message: str, outcome: Outcome) -> None:
        record = SourceRecord(source, status, 0, Counts(), message=message)
        if self._note(record, outcome):
            outcome.records.append(record)

    def _note_etags(self, records: Iterable[SourceRecord], outcome: Outcome) -> None:
        """Let objects be known by their ETags, too; where that fails, they are announced, read and left out again."""
        for record in records:
            if record.digest != record.source.etag:
                self._note(record, outcome)

    def _note(self, record: SourceRecord, outcome: Outcome) -> bool:
        try:
            self._ledger.note(record)
        except Exception as error:  # noqa: BLE001  # the note is lost, the announcement is not
            outcome.failed[record.source] = described(error)
            return False
        return True


def described(error: Exception) -> str:
    """Return kind and message of an error, cut to what a log and a record of the ledger hold with ease."""
    return f"{type(error).__name__}: {error}"[:_LONGEST_REASON]


def _routed(routing: FileRouting, size: int, digest: str, status: Status, chunks: list[ChunkRecord]) -> _RoutedFile:
    counts = routing.counts
    counts.dirty_bytes = round(size * routing.dirty_share)
    counts.dirty_files = int(bool(counts.dirty) and not counts.clean)
    return _RoutedFile(routing.source, size, digest, status, counts, routing.lines, chunks)


def _repeated(file: _RoutedFile) -> SourceRecord:
    message = f"the same bytes (MD5 {file.digest}) were recorded under this key before: they add nothing"
    return SourceRecord(file.source, Status.REPEATED, file.size, Counts(), message=message, digest=file.digest)
