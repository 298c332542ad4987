"""Settings of the upkeep of a stage's tables."""

from dataclasses import dataclass
from typing import Annotated, Self

from infra.stage import MEBIBYTE, FunctionSize, Positive, ScheduleExpression, StageKind
from infra.typed_table import Between, Matching

_UNPACKED_SHARE = 6  # rows unpacked are in memory as files, as read, in their order, and as the new file is written


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Settings of the upkeep; the schedule is in UTC, None means: by hand only.

    Files of less than half of `target_file_bytes` are small. Where an event that producers sent twice is to stay once
    in its hour, `unique_column` names the column of its id, such as ``id``; "" keeps every event. Snapshots that were
    replaced `snapshot_days` ago go, and, `grace_days` after they were written, objects that nothing refers to.
    """

    schedule: ScheduleExpression | None = "cron(30 4 * * ? *)"
    timeout_minutes: Positive = 360
    target_file_bytes: Positive = 64 * MEBIBYTE
    unique_column: Annotated[str, Matching(r"[a-z0-9_]*", '"id"')] = ""
    snapshot_days: Positive = 7
    grace_days: Annotated[int, Between(2, 365)] = 3  # more than an execution may take
    max_concurrency: Positive = 4

    plan_compaction: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=600)
    compact_partitions: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    tidy_tables: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)

    @property
    def unpacked_bytes(self) -> int:
        """Bytes of rows, unpacked, that a function rewrites at a time."""
        return self.compact_partitions.memory_mb * MEBIBYTE // _UNPACKED_SHARE

    @classmethod
    def of(cls, kind: StageKind) -> Self:
        """Return the settings of a kind of stage."""
        match kind:
            case StageKind.LOCAL:
                return cls(schedule=None, max_concurrency=1)
            case StageKind.FEATURE:
                return cls(schedule=None)
            case StageKind.DEV | StageKind.LASTING:
                return cls()
