"""What the run history needs of the outside world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sluice.runs.execution_events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as Step Functions describes it; `status` in its words, `cause` in plain ones."""

    arn: str
    machine: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    input: Mapping[str, Any]
    cause: str = ""


class Executions(Protocol):
    """Executions of state machines."""

    def describe(self, arn: str) -> Execution:
        """Return an execution. Raises UnknownExecutionError."""

    def history(self, arn: str) -> Sequence[Event]:
        """Return all that happened in it, the oldest first."""

    def cause_in_map(self, arn: str) -> str:
        """Return why items of its map failed; "" when none did."""


class Commits(Protocol):
    """Summaries of conversions."""

    def read(self, key: str) -> bytes:
        """Return an object of the lake bucket. Raises MissingObjectError."""


class UnknownExecutionError(Exception):
    """There is no such execution, or no more: Step Functions keeps them for 90 days."""
