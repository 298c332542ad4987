"""A training: one execution that makes a candidate and decides whether it becomes the champion; its beginning."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from sluice.lake.lease import Executions, Leased, acquire
from sluice.lake.object_store import iso
from sluice.recommender.champion import MODELS_PREFIX

TRAIN, BUSY = "train", "busy"
"""Decisions of Begin, besides that the mart shows no listens."""


class TrainingLease(Protocol):
    """The lease of a stage's trainings: one is at work at a time."""

    def claim(self, execution: str, ended: str) -> Leased:
        """Take the lease, if it is free or that of the `ended` execution; return it as it is then."""

    def release(self, execution: str) -> None:
        """Free the lease, if the execution has it."""


@dataclass(frozen=True, slots=True)
class Training:
    """One training.

    Attributes:
        version: Name of the version it makes, the same however often a step is repeated.
        execution: ARN of the execution.
        started_at: ISO 8601, UTC.
        reason: Why it was started.
        champion: The version in production when it began, which its candidate may take the place of; "" for none.
    """

    version: str
    execution: str
    started_at: str
    reason: str
    champion: str

    @classmethod
    def of(cls, execution: str, started_at: datetime, asked: Mapping[str, Any], champion: str) -> Self:
        """Return the training of an execution with its input."""
        started_at = started_at.astimezone(UTC)
        token = hashlib.sha256(execution.encode()).hexdigest()[:8]
        reason = str(asked.get("reason") or asked.get("started_by") or "")
        return cls(f"{started_at:%Y%m%dT%H%M%SZ}-{token}", execution, iso(started_at), reason, champion)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a training."""
        return cls(**value)

    @property
    def result_key(self) -> str:
        """Key of what became of it."""
        return f"{MODELS_PREFIX}{self.version}/result.json"


def begin(training: Training, lease: TrainingLease, executions: Executions) -> str:
    """Take the lease for a training; return the decision."""
    execution = training.execution
    taken = acquire(execution, lambda ended: lease.claim(execution, ended), executions)
    return BUSY if taken is None else TRAIN
