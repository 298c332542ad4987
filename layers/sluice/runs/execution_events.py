"""What the history of an execution says: the states it was in, for how long, and which attempts failed."""

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
_CAUGHT = ("failure", "not_done")  # where the machines leave what they catch


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of a history; of a state that is entered or left, `name` and what it was given or gave."""

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
        """Take in what happened during the stay."""
        if event.type in _FAILED:
            self.failures += 1
            self.failed = True
        elif event.type in _DONE:
            self.failed = False

    def leave(self, event: Event) -> None:
        """Take in how the stay ended; what was caught stands in what the state gave, and had no event of its own."""
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
    seconds: dict[str, float] = {}
    failures: dict[str, int] = {}
    for visit in visits:
        stay = ((visit.left or end) - visit.entered).total_seconds()
        seconds[visit.name] = seconds.get(visit.name, 0.0) + stay
        failures[visit.name] = failures.get(visit.name, 0) + visit.failures
    return tuple(Step(name, round(stay, 3), failures[name]) for name, stay in seconds.items())


def failed_visit(visits: Sequence[Visit]) -> Visit | None:
    """Return the last stay that failed or was not left."""
    return next((visit for visit in reversed(visits) if visit.failed or visit.left is None), None)


def last_document(events: Iterable[Event]) -> Mapping[str, Any]:
    """Return all that the steps left: what the last state was given, or gave."""
    left: Mapping[str, Any] = {}
    for event in events:
        if event.type.endswith((_ENTERED, _EXITED)):
            left = event.document
    return left
