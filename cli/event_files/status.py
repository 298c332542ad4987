"""Event files in `sluice status`: what waits, and how many of the recent events are dirty."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from itertools import islice

from rich.table import Table

from cli.event_files.convert import left_out_text
from cli.event_files.ledger import runs_of
from cli.platform.console import plural, table
from cli.platform.registry import PipelineStatus
from cli.platform.session import Deployment
from cli.platform.status import queue_state
from sluice.aws.runtime import Item
from sluice.event_files.ledger.model import CONVERTED, PENDING
from sluice.observability.formatting import size

# Dirty counts cover what waits and so many converted chunks: enough to see what is wrong now, in one or two requests.
CHUNKS = 500
_NAMED = 5  # chunks that were left out, one by one


@dataclass(frozen=True, slots=True)
class Backlog:
    """The pending chunks; `events` are the clean ones, `oldest_seconds` is the age of the first chunk."""

    chunks: int
    files: int
    events: int
    oldest_seconds: int | None


@dataclass(frozen=True, slots=True)
class Unread:
    """A pending chunk that the last run left out; `events` are its clean ones."""

    chunk_id: str
    files: int
    events: int
    reason: str


@dataclass(frozen=True, slots=True)
class DirtySizes:
    """Files with dirty records and no clean event, and the dirty bytes of all files, which have so many."""

    dirty_files: int
    dirty_bytes: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Queue:
    """Announcements that wait, that are being processed, and that are in the dead letter queue."""

    waiting: int
    in_flight: int
    dead_letters: int


def status(deployment: Deployment) -> PipelineStatus:
    """Read the ledger and the queue of announcements."""
    ledger = runs_of(deployment)
    pending = list(ledger.items_under(PENDING))
    recent = [*pending, *islice(ledger.items_under(CONVERTED, newest_first=True), CHUNKS)]
    waiting, queued, dirty = backlog(pending, datetime.now(UTC)), queue(deployment), dirty_counts(recent)
    since = min((chunk["created_at"] for chunk in recent), default=None)
    start = f", since {since[:16].replace('T', ' ')} UTC" if since else ""
    left_out, outside = unread(pending), dirty_sizes(recent)
    members = {
        "backlog": waiting,
        "left_out": left_out,
        "queue": queued,
        "dirty": dirty,
        "dirty_sizes": outside,
        "dirty_chunks": len(recent),
        "dirty_since": since,
    }
    return PipelineStatus(
        members=members,
        lines=(*_lines(waiting, queued), *_unread_lines(left_out), *_dirty_lines(outside, len(recent))),
        tables={
            f"Dirty events in the last {plural(len(recent), 'chunk')}{start}": _dirty_table(dirty, clean_count(recent))
        },
    )


def backlog(pending: list[Item], now: datetime) -> Backlog:
    """Add the pending chunks up."""
    ages = [(now - datetime.fromisoformat(chunk["created_at"])).total_seconds() for chunk in pending]
    return Backlog(
        chunks=len(pending),
        files=sum(int(chunk["files"]) for chunk in pending),
        events=clean_count(pending),
        oldest_seconds=max(0, round(max(ages))) if ages else None,
    )


def unread(pending: list[Item]) -> list[Unread]:
    """Return the chunks that the last run left out."""
    return [
        Unread(chunk["sk"], chunk["files"], clean_count([chunk]), chunk["left_out"])
        for chunk in pending
        if "left_out" in chunk
    ]


def queue(deployment: Deployment) -> Queue:
    """Return the depth of the queue of announcements and of its dead letter queue."""
    found, dead = (queue_state(deployment, deployment.output(name)) for name in ("QueueUrl", "DeadLetterQueueUrl"))
    return Queue(found.waiting, found.in_flight, dead.waiting)


def clean_count(chunks: Iterable[Item]) -> int:
    """Return the number of clean events in chunks."""
    return sum(sum(chunk.get("clean", {}).values()) for chunk in chunks)


def dirty_counts(chunks: Iterable[Item]) -> dict[str, dict[str, int]]:
    """Return the number of dirty events by table (``-``: unknown) and reason, tables in order of their names."""
    tables: dict[str, Counter[str]] = {}
    for chunk in chunks:
        for name, reasons in chunk.get("dirty", {}).items():
            tables.setdefault(name, Counter()).update(reasons)
    return {name: dict(counts.most_common()) for name, counts in sorted(tables.items())}


def _lines(waiting: Backlog, queued: Queue) -> Iterable[str]:
    age = "" if waiting.oldest_seconds is None else f", the oldest for {waiting.oldest_seconds:,} s"
    yield f"To convert: {plural(waiting.events, 'event')} of {plural(waiting.files, 'file')}{age}"
    yield f"To validate: {plural(queued.waiting, 'announcement')}, {queued.in_flight:,} at work"
    if queued.dead_letters:
        letters = plural(queued.dead_letters, "announcement")
        yield f"[red]Dead letters: {letters} that could not be processed; `sluice file KEY` says why[/]"


def dirty_sizes(chunks: Iterable[Item]) -> DirtySizes:
    """Add up what of the files of chunks is dirty."""
    sums: Counter[str] = Counter()
    for chunk in chunks:
        sums.update({each.name: chunk.get(each.name, 0) for each in fields(DirtySizes)})
    return DirtySizes(**{each.name: sums[each.name] for each in fields(DirtySizes)})


def _dirty_lines(found: DirtySizes, chunks: int) -> Iterable[str]:
    if found.dirty_files or found.dirty_bytes:
        share = found.dirty_bytes / max(found.bytes, 1)
        of = f"{size(found.dirty_bytes)}, {share:.2%} of the bytes in the last {plural(chunks, 'chunk')}"
        yield f"Dirty: {of}; {plural(found.dirty_files, 'file')} without a clean event"


def _unread_lines(left_out: list[Unread]) -> Iterable[str]:
    yield from (left_out_text(chunk.chunk_id, asdict(chunk)) for chunk in left_out[:_NAMED])
    if len(left_out) > _NAMED:
        yield f"… and {len(left_out) - _NAMED:,} more chunks that were left out; --json lists them all"


def _dirty_table(dirty: dict[str, dict[str, int]], clean: int) -> Table:
    counts = [(name, reason, count) for name, reasons in dirty.items() for reason, count in reasons.items()]
    events = clean + sum(count for *_, count in counts)
    rows = ((name, reason, f"{count:,}", f"{count / events:.2%}") for name, reason, count in counts)
    return table("Table", "Reason", "Events", "Share", rows=rows)
