"""A pull: its values, its keys in the lake, and the progress of its steps as JSON objects there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

PULLS_PREFIX = "runs/pulls/"
RAW_PREFIX = "raw/"
DIRTY_PREFIX = "data/dirty_rows/"

COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"
HELD = "held"
"""Status of an endpoint that is kept in the lake and not loaded into the mart."""


class PullError(Exception):
    """An endpoint cannot be pulled; the message says what happened, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull of the day `snapshot_date` (``YYYY-MM-DD``, UTC), by the execution (ARN) of the machine.

    `source_url` is the source that stands in for the stage's own; "" is that.
    """

    pull_id: str
    snapshot_date: str
    execution: str
    source_url: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a pull."""
        return cls(**value)

    @property
    def result_key(self) -> str:
        """Key of what became of it."""
        return f"{PULLS_PREFIX}{self.pull_id}/result.json"

    def progress_key(self, endpoint: str, step: str, turn: int) -> str:
        """Return the key of what a step had done after so many turns."""
        return f"{PULLS_PREFIX}{self.pull_id}/{endpoint}/{step}-{turn:04}.json"

    def files_key(self, endpoint: str) -> str:
        """Return the key of the list of an endpoint's clean files."""
        return f"{PULLS_PREFIX}{self.pull_id}/{endpoint}/files.json"

    def raw_key(self, endpoint: str, name: str) -> str:
        """Return the key of raw pages: a line of JSON each, with gzip."""
        return f"{RAW_PREFIX}{endpoint}/snapshot_date={self.snapshot_date}/{self.pull_id}/{name}.jsonl.gz"

    def dirty_key(self, table: str, name: str) -> str:
        """Return the key of dirty rows: a record of JSON a line, with gzip."""
        return f"{DIRTY_PREFIX}{table}/snapshot_date={self.snapshot_date}/{self.pull_id}-{name}.jsonl.gz"


@dataclass(frozen=True, slots=True)
class RawPart:
    """Pages that lie together under a key, from `first_page` on, of one of the attempts at an endpoint."""

    key: str
    attempt: int
    first_page: int
    pages: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A file (key) of clean rows."""

    key: str
    rows: int
