"""Plans, batches and receipts of a conversion, and keys of a run's objects in the lake."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from sluice.contracts.model import DIRTY_EVENTS
from sluice.event_files.ledger.model import HOUR_WORK, ChunkRecord, LeftOut, OpenRun, chunk_id_of
from sluice.lake.object_store import RUNS_PREFIX, ByteRange


@dataclass(frozen=True, slots=True)
class Span(ByteRange):
    """Bytes of a chunk's object that hold so many rows of so many hours, clean by so named columns.

    Of a dirty object they hold none.
    """

    rows: int = 0
    columns: str = ""
    hours: int = 0

    @property
    def work(self) -> int:
        """Return what it is to convert, in bytes of lines."""
        return self.length + self.hours * HOUR_WORK

    @property
    def chunk_id(self) -> str:
        """Return the chunk whose object it is of."""
        return chunk_id_of(self.key)


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a run: rows of one table. Without a `table` its spans are dirty records."""

    run_id: str
    planned_at: str  # ISO 8601, UTC
    batch_id: str
    table: str | None
    spans: tuple[Span, ...]

    @property
    def rows(self) -> int:
        """Return the rows to be written."""
        return sum(span.rows for span in self.spans)

    @property
    def work(self) -> int:
        """Return what it is to convert, in bytes of lines."""
        return sum(span.work for span in self.spans)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a batch."""
        return cls(**{**value, "spans": tuple(Span(**span) for span in value["spans"])})


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """Batches that are converted, or not, as one: together they are no more work than one batch may be."""

    batches: tuple[Batch, ...]

    @property
    def run_id(self) -> str:
        """Return the run it is a part of."""
        return self.batches[0].run_id

    @property
    def group_id(self) -> str:
        """Return the name of the group, unique in its run."""
        return self.batches[0].batch_id

    @property
    def chunk_ids(self) -> tuple[str, ...]:
        """Return the chunks that it has spans of."""
        return tuple(dict.fromkeys(span.chunk_id for batch in self.batches for span in batch.spans))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a group."""
        return cls(tuple(map(Batch.from_json, value["batches"])))


@dataclass(frozen=True, slots=True)
class Arrived:
    """Counts of what came with the chunks of a run beside its rows; `dirty` is by table and reason."""

    bytes: int = 0
    unrelated: int = 0
    unknown_members: int = 0
    media_missing: int = 0
    dirty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dirty_bytes: int = 0
    dirty_files: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of a run. Once published it never changes; its groups are the items of the Map state.

    Where chunks cannot be read, or a batch failed, a plan without these follows it.
    """

    run_id: str
    planned_at: str
    files: int
    chunk_ids: tuple[str, ...]
    groups: tuple[BatchGroup, ...]
    arrived: Arrived = Arrived()
    left_out: tuple[LeftOut, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a plan."""
        groups = tuple(map(BatchGroup.from_json, value["groups"]))
        chunk_ids, arrived = tuple(value["chunk_ids"]), Arrived(**value["arrived"])
        left_out = tuple(LeftOut(**each) for each in value["left_out"])
        return cls(**{**value, "chunk_ids": chunk_ids, "groups": groups, "arrived": arrived, "left_out": left_out})

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Return the batches of all groups, in order."""
        return tuple(batch for group in self.groups for batch in group.batches)

    def rows(self) -> Counter[str]:
        """Return the rows to be written, by table."""
        rows: Counter[str] = Counter()
        for batch in self.batches:
            if batch.table:
                rows[batch.table] += batch.rows
        return rows

    def tables(self) -> list[str]:
        """Return the tables that get files of the run, in order."""
        return sorted({batch.table or DIRTY_EVENTS.name for batch in self.batches})


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a batch is converted: the rows it wrote, and the keys and bytes of its Parquet files.

    These are rows of the table when the run is committed; files that no receipt names never are. `newest_hour`
    (``YYYY-MM-DDTHH``) is that of its newest row; hours later than the plan do not count. `table_id` is the table that
    the files were written for ("": unknown). Without a `table` the files are of dirty records.
    """

    batch_id: str
    table: str | None
    rows: int
    files: tuple[str, ...]
    parquet_bytes: int = 0
    newest_hour: str = ""
    table_id: str = ""

    @property
    def target(self) -> str:
        """Return the table that the files are rows of."""
        return self.table or DIRTY_EVENTS.name


class Tables(Protocol):
    """Tables of the lake, to be written to."""

    def append(self, table: str, run_id: str, files: Sequence[str], table_id: str = "") -> None:
        """Make all files of a run, written for the table of this id, rows of it in one step, unless they are.

        Raises CommitError.
        """

    def id_and_runs(self, table: str) -> tuple[str, set[str]]:
        """Return a table's id, which no other of its name ever has, and the runs it has; "" if it is not there."""


class RunLedger(Protocol):
    """Pending chunks and the one open run."""

    def open_run(self) -> OpenRun | None:
        """Return the run that is going on."""

    def claim_run(self, wanted: OpenRun, ended: str = "") -> OpenRun:
        """Open a run unless one is open, or take it over from the `ended` execution; return the run open then."""

    def publish_plan(self, run: OpenRun, plan_key: str) -> bool:
        """Set the plan of the open run, if it is still `run` and has none yet; return whether it was set."""

    def replace_plan(self, run_id: str, old: str, new: str) -> bool:
        """Set another plan of the open run, if it is still this run with its old plan, or has the new one already."""

    def drop_run(self, run: OpenRun) -> bool:
        """End a run that needs no plan, if it is still `run` and has none yet; return whether it was ended."""

    def close_run(self, run_id: str) -> None:
        """End the run, if it is the open one."""

    def pending_chunks(self) -> list[ChunkRecord]:
        """Return every committed chunk that is not converted, oldest first."""

    def mark_converted(self, chunk_ids: Iterable[str], run_id: str) -> None:
        """Move chunks from pending to converted; those that are converted already stay so."""

    def note_left_out(self, left_out: Iterable[LeftOut]) -> None:
        """Note at pending chunks why a run left them out, and in how many runs their batches failed."""


def plan_key(run_id: str, token: str) -> str:
    """Return the key of one attempt's plan; the ledger names the plan of a run that holds."""
    return f"{RUNS_PREFIX}{run_id}/plan-{token}.json"


def receipts_key(run_id: str, group_id: str) -> str:
    """Return the key of a group's receipts: a line of JSON for each batch."""
    return f"{RUNS_PREFIX}{run_id}/receipts/{group_id}.jsonl"


def left_out_key(run_id: str, group_id: str) -> str:
    """Return the key of the chunks that a group could not convert; once it has receipts, it could after all."""
    return f"{RUNS_PREFIX}{run_id}/left_out/{group_id}.json"


def profile_part_key(run_id: str, group_id: str) -> str:
    """Return the key of a group's part of the profiling log."""
    return f"{RUNS_PREFIX}{run_id}/profile/{group_id}.parquet"
