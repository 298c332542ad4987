"""Pulls from begin to end: the lease that one of them has, the progress of steps, the result."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

import orjson

from sluice.api_pull.model import Pull, PullError
from sluice.lake.lease import Executions, Leased, acquire
from sluice.lake.object_store import ObjectStore, timestamped_id

PULL, BUSY, NOT_SET_UP = "pull", "busy", "not_set_up"
"""Decisions of Begin."""

DAYS_AHEAD = 1
"""A day of the source's zone may have begun already."""


class PullLease(Protocol):
    """The lease of a stage's pulls: one is at work at a time, for the source is one and the mart is one."""

    def claim(self, execution: str, ended: str) -> Leased:
        """Take the lease, if it is free or that of the `ended` execution; return it as it is then."""

    def release(self, execution: str) -> None:
        """Free the lease, if the execution has it."""


def new_pull(execution: str, started_at: datetime, asked: Mapping[str, Any]) -> Pull:
    """Return the pull of an execution, always the same one. Raises PullError: the date asked for is none."""
    started_at = started_at.astimezone(UTC)
    day = str(asked.get("date") or f"{started_at:%Y-%m-%d}")
    try:
        is_ahead = (date.fromisoformat(day) - started_at.date()).days > DAYS_AHEAD
        written = date.fromisoformat(day).isoformat()
    except ValueError:
        is_ahead, written = False, ""
    if written != day or is_ahead:
        raise PullError(f"date {day!r} is no day as YYYY-MM-DD, or one to come; leave it out for today")
    token = hashlib.sha256(execution.encode()).hexdigest()[:8]
    return Pull(timestamped_id(started_at, token), day, execution, str(asked.get("source_url") or ""))


def begin(pull: Pull, lease: PullLease, executions: Executions, *, is_set_up: bool) -> str:
    """Take the lease for a pull, if there is a source; return the decision."""
    if not is_set_up:
        return NOT_SET_UP
    return (
        BUSY if acquire(pull.execution, lambda ended: lease.claim(pull.execution, ended), executions) is None else PULL
    )


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The progress of a step of an endpoint, turn by turn: a call that is made again begins where it began before."""

    lake: ObjectStore
    pull: Pull
    endpoint: str
    step: str

    def read(self, turn: int) -> Mapping[str, Any] | None:
        """Return what was written at the end of a turn; None before the first."""
        if not turn:
            return None
        found: Mapping[str, Any] = orjson.loads(self.lake.read(self.pull.progress_key(self.endpoint, self.step, turn)))
        return found

    def write(self, turn: int, progress: object) -> int:
        """Write the progress at the end of the turn after this one; return its number."""
        self.lake.write(self.pull.progress_key(self.endpoint, self.step, turn + 1), orjson.dumps(progress))
        return turn + 1
