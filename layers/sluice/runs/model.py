"""The record of a run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """Which machine ran."""

    CONVERT = "convert"
    EXPORT = "export"
    HISTORY = "history"


COUNTS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CONVERT: (
        "files",
        "events",
        "rows",
        "parquet_files",
        "parquet_bytes",
        "dirty",
        "unrelated",
        "unknown_members",
        "media_missing",
        "bytes",
    ),
    Kind.EXPORT: ("promised", "copied", "refetched", "missing", "bytes"),
    Kind.HISTORY: ("observed",),
}
"""The figures of each kind; `events` are the clean ones, `bytes` those delivered or copied."""


@dataclass(frozen=True, slots=True)
class Step:
    """A task, map or wait, all stays in it together: seconds from entering to leaving, attempts that failed."""

    name: str
    seconds: float
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What became of one execution.

    Attributes:
        id: Kind, start and a digest of the execution, such as ``convert-20261122T071500Z-1f2e3d4c``.
        kind: Which machine ran.
        subject: What it worked on: a conversion's run id, an export's slot, a range of slots; "" when it took nothing.
        started_by: ``schedule``, or who did it by hand; "" where nobody said so.
        started_at: Time of the start, ISO 8601 in UTC; `ended_at` likewise.
        seconds: Between them.
        outcome: What it ended as: converted, nothing_to_do, busy; delivered, incomplete, skipped; initialised; or
            failed, timed_out, aborted.
        cause: Why it did not succeed, else "".
        failed_step: The state it failed in, else "".
        counts: The figures of its kind (`COUNTS`), 0 where nothing was done.
        rows: Rows written, by table.
        dirty: Dirty events by table (``-``: unknown) and reason.
        steps: Its tasks, maps and waits in the order in which they were entered first.
        execution: The execution's ARN.
        links: Where to look further, by name.
    """

    id: str
    kind: Kind
    subject: str
    started_by: str
    started_at: str
    ended_at: str
    seconds: float
    outcome: str
    cause: str = ""
    failed_step: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    execution: str = ""
    links: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give the record as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        steps = tuple(Step(**step) for step in value["steps"])
        return cls(**{**value, "kind": Kind(value["kind"]), "steps": steps})
