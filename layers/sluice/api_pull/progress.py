"""The progress of an endpoint's steps, as JSON objects in the lake: each call goes on where the one before ended."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sluice.api_pull.model import CleanFile, RawPart

EXTRACT, CHECK = "extract", "check"
AGAIN = "again"
WAIT, EXTRACTED = "wait", "extracted"
GOOD, HELD_BACK = "good", "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractProgress:
    """Progress of an endpoint's extraction.

    Attributes:
        next_step: ``again``, ``wait`` (for `wait_seconds`) or ``extracted``.
        attempt: The attempt, from 1; all but the last are given up when rows move.
        next_page: The page to ask for next.
        parts: Raw pages of all attempts.
        pages: Pages that came, in all attempts; `bytes` likewise.
        retries: Requests that were sent again.
        waited_seconds: What was waited for the source since it answered last; `wait_seconds` of it next.
        seconds: What the function worked and the machine waited.
        is_union: Whether the rows never held still: those of all attempts count, by their keys.
        note: What was seen of the rows when they moved last.
        first: Total and keys of the first page of this attempt.
        repeats: Keys that came on two pages of the attempt before.
    """

    next_step: str = AGAIN
    attempt: int = 1
    next_page: int = 1
    parts: tuple[RawPart, ...] = ()
    pages: int = 0
    bytes: int = 0
    retries: int = 0
    waited_seconds: int = 0
    wait_seconds: int = 0
    seconds: float = 0
    is_union: bool = False
    has_moved: bool = False
    note: str = ""
    first: Mapping[str, Any] = field(default_factory=dict)
    repeats: tuple[Any, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a progress."""
        parts = tuple(RawPart(**each) for each in value["parts"])
        return cls(**{**value, "parts": parts, "repeats": tuple(value["repeats"])})

    @property
    def restarts(self) -> int:
        """Return how often the endpoint was started over."""
        return self.attempt - 1

    @property
    def current_parts(self) -> tuple[RawPart, ...]:
        """The parts of this attempt."""
        return tuple(part for part in self.parts if part.attempt == self.attempt)

    @property
    def counted_parts(self) -> tuple[RawPart, ...]:
        """The parts whose rows count: those of the last attempt, or, latest first, of all."""
        return self.parts[::-1] if self.is_union else self.current_parts


@dataclass(slots=True)
class Counts:
    """Counts of what was found in rows.

    Attributes:
        rows: Rows that the endpoint delivered.
        clean: Rows of the table that they became.
        dirty: Rows, or items of them, by reason; one may have several.
        dirty_rows: Rows that are dirty, or have a dirty item.
        nulls: Nulls by column.
        unknown: Members that the contract does not know, by name.
        absent: Rows without a member that the contract wants, by member.
        mistyped: Rows with a member, or an item in it, of another type, by member.
        updated_before_created: Clean rows whose change is before their making.
    """

    rows: int = 0
    clean: int = 0
    dirty_rows: int = 0
    updated_before_created: int = 0
    dirty: Counter[str] = field(default_factory=Counter)
    nulls: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    absent: Counter[str] = field(default_factory=Counter)
    mistyped: Counter[str] = field(default_factory=Counter)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Counts":
        """Read the JSON of counts."""
        read: dict[str, Any] = {name: Counter(each) if isinstance(each, dict) else each for name, each in value.items()}
        return cls(**read)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckProgress:
    """Progress of an endpoint's check.

    Attributes:
        next_step: ``again`` while parts are left, then ``good``, or ``held`` for an endpoint that is not to be loaded.
        parts: Raw parts that are checked.
        files: Files of clean rows.
        dirty: Keys of dirty records.
        counts: What was found.
        schema_changes: What changed in the schema, in sentences.
        cause: Why it is held back, in sentences.
        seconds: What the check took.
    """

    next_step: str = AGAIN
    parts: int = 0
    files: tuple[CleanFile, ...] = ()
    dirty: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)
    schema_changes: tuple[str, ...] = ()
    cause: str = ""
    seconds: float = 0

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a progress."""
        files = tuple(CleanFile(**each) for each in value["files"])
        lists = {name: tuple(value[name]) for name in ("dirty", "schema_changes")}
        return cls(**{**value, **lists, "files": files, "counts": Counts.from_json(value["counts"])})
