"""Histories of executions: states, the time spent in them, attempts that failed."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sluice.runs.model import Step

ENDS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})
"""The last event of an execution is one of these."""

_FAILED = frozenset(
    {
        *(f"LambdaFunction{end}" for end in ("Failed", "TimedOut", "ScheduleFailed", "StartFailed")),
        *(f"Task{end}" for end in ("Failed", "TimedOut", "StartFailed", "SubmitFailed")),
        *(f"MapRun{end}" for end in ("Failed", "Aborted")),
    }
)
_DONE = frozenset({"LambdaFunctionSucceeded", "TaskSucceeded", "MapRunSucceeded"})
_ENTERED, _EXITED = "StateEntered", "StateExited"
_WORK = frozenset({"Task", "Map", "Wait"})  # the others decide, and take no time
_CAUGHT = ("failure", "not_done")  # members in which the machines keep what they catch


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution as Step Functions describes it; `cause` is the sentence in what it gives as cause."""

    arn: str
    machine: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    input: Mapping[str, Any]
    cause: str = ""


class UnknownExecutionError(Exception):
    """Step Functions does not know the execution, or no longer: it keeps them for 90 days."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of a history; `name` and `document` are those of a state that is entered (input) or left (output)."""

    type: str
    at: datetime
    name: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Visit:
    """One stay in a state; `failed` says that it ended, or hangs, with an attempt that failed."""

    name: str
    kind: str
    entered: datetime
    given: Mapping[str, Any]
    left: datetime | None = None
    failures: int = 0
    failed: bool = False

    def note(self, event: Event) -> None:
        """Take in an event of the stay."""
        if event.type in _FAILED:
            self.failures += 1
            self.failed = True
        elif event.type in _DONE:
            self.failed = False

    def leave(self, event: Event) -> None:
        """Take in the end of the stay; a failure that was caught is in the state's output, without an event."""
        self.left = event.at
        if any(event.document.get(place) != self.given.get(place) for place in _CAUGHT):
            self.failed = True
            self.failures = max(self.failures, 1)


def visits_of(events: Iterable[Event]) -> list[Visit]:
    """Return the stays in states that do work, in order; the machines are in one state at a time."""
    visits: list[Visit] = []
    for event in events:
        if event.type.endswith(_ENTERED):
            visits.append(Visit(event.name, event.type.removesuffix(_ENTERED), event.at, event.document))
        elif event.type.endswith(_EXITED):
            visits[-1].leave(event)
        elif visits:
            visits[-1].note(event)
    return [visit for visit in visits if visit.kind in _WORK]


def steps_of(visits: Iterable[Visit], end: datetime) -> tuple[Step, ...]:
    """Add up the stays in each state; one that was not left lasted until the `end`."""
    seconds: defaultdict[str, float] = defaultdict(float)
    failures: defaultdict[str, int] = defaultdict(int)
    for visit in visits:
        seconds[visit.name] += ((visit.left or end) - visit.entered).total_seconds()
        failures[visit.name] += visit.failures
    return tuple(Step(name, round(stay, 3), failures[name]) for name, stay in seconds.items())


def failed_visit(visits: Sequence[Visit]) -> Visit | None:
    """Return the last stay that failed or was not left."""
    return next((visit for visit in reversed(visits) if visit.failed or visit.left is None), None)


def last_document(events: Iterable[Event]) -> Mapping[str, Any]:
    """Return all that the steps left: what the last state was given, or gave."""
    left = [event.document for event in events if event.type.endswith((_ENTERED, _EXITED))]
    return left[-1] if left else {}


def plain_cause(cause: str) -> str:
    """Return the sentence inside a Lambda error document, which is JSON text; any other text as it is."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage") or cause) if isinstance(document, dict) else cause
