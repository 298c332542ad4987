"""What a conversion works on: plans, batches, receipts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from sluice.lake.object_store import ByteRange


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a run: rows of one table. Without a `table` its spans are dirty records."""

    run_id: str
    planned_at: str  # ISO 8601, UTC
    batch_id: str
    table: str | None
    rows: int
    spans: tuple[ByteRange, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        spans = tuple(ByteRange(**span) for span in value["spans"])
        return cls(value["run_id"], value["planned_at"], value["batch_id"], value["table"], value["rows"], spans)

    def to_json(self) -> dict[str, Any]:
        """Give the batch as it stands in its group."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """Batches that are done, or not, as one: together they are no more work than one batch may be."""

    batches: tuple[Batch, ...]

    @property
    def run_id(self) -> str:
        """The run it is a part of."""
        return self.batches[0].run_id

    @property
    def group_id(self) -> str:
        """The name of the group, unique in its run."""
        return self.batches[0].batch_id

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; in plans of an older version a batch stands alone, with no group around it."""
        return cls(tuple(Batch.from_json(batch) for batch in value.get("batches", [value])))

    def to_json(self) -> dict[str, Any]:
        """Give the group as it stands in the plan file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What arrived with the chunks of a run, beside the rows it writes; `dirty` counts by table and reason."""

    bytes: int = 0
    unrelated: int = 0
    unknown_members: int = 0
    media_missing: int = 0
    dirty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do. Once published it never changes; one of an older version does not say what arrived."""

    run_id: str
    planned_at: str
    files: int
    chunk_ids: tuple[str, ...]
    groups: tuple[BatchGroup, ...]
    arrived: Arrived = Arrived()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        groups = tuple(BatchGroup.from_json(group) for group in value["batches"])
        arrived = Arrived(**value.get("arrived", {}))
        return cls(value["run_id"], value["planned_at"], value["files"], tuple(value["chunk_ids"]), groups, arrived)

    def to_json(self) -> dict[str, Any]:
        """Give the plan as it stands in its file: what the map is over is under `batches`, whatever the version."""
        plan = asdict(self)
        return {"batches": plan.pop("groups"), **plan}

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The batches of all groups, in order."""
        return tuple(batch for group in self.groups for batch in group.batches)

    def rows(self) -> Counter[str]:
        """Return the rows to be written, by table."""
        rows: Counter[str] = Counter()
        for batch in self.batches:
            if batch.table:
                rows[batch.table] += batch.rows
        return rows


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a batch is done: the rows it wrote, and how many Parquet files of how many bytes they are in.

    `newest_hour` (``YYYY-MM-DDTHH``) is that of its newest row; one whose clock was ahead of the plan does not count.
    """

    batch_id: str
    table: str | None
    rows: int
    parquet_files: int
    parquet_bytes: int = 0
    newest_hour: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the receipt as it stands in its file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OpenRun:
    """The one run that is going on. It has no `plan_key` until its plan is published."""

    run_id: str
    execution: str
    plan_key: str | None = None


def iso(now: datetime) -> str:
    """Write a time in UTC as ISO 8601."""
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
