"""Runs: the record of one, and the kinds of runs that pipelines register, one per state machine."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

Document = Mapping[str, Any]

UNFINISHED = ("failed", "timed_out", "aborted")
"""Outcomes that every kind of run may have: how Step Functions ended it."""


class Result(Enum):
    """Meaning of an outcome."""

    WORKED = "did all of its work"
    IDLE = "had nothing to do"
    FAILED = "did not do all of its work"


@dataclass(frozen=True, slots=True)
class Step:
    """A task, map or wait, all stays in it together: seconds from entering to leaving, attempts that failed."""

    name: str
    seconds: float
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The record of an execution that has ended.

    Attributes:
        id: Kind, start and a digest of the execution, such as ``convert-20261122T071500Z-1f2e3d4c``.
        kind: Name of its `RunKind`.
        subject: A conversion's run id, an export's slot, a range of slots, …; "" when it took nothing.
        started_by: ``schedule``, or who started it by hand; "" if the input does not say.
        started_at: Time of the start, ISO 8601 in UTC; `ended_at` likewise.
        seconds: Between them.
        outcome: How it ended: one of its kind's `outcomes`, or failed, timed_out, aborted.
        cause: Reason why it did not succeed, else "".
        failed_step: The state it failed in, else "".
        counts: Its kind's figures, 0 where nothing was done.
        rows: Rows written, by table.
        dirty: Dirty events by table (``-``: unknown) and reason.
        steps: Its tasks, maps and waits in the order in which they were entered first.
        execution: The execution's ARN.
        links: URLs of what it left, and of the console, by name.
    """

    id: str
    kind: str
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

    @property
    def start(self) -> datetime:
        """Time of the start."""
        return datetime.fromisoformat(self.started_at)

    @property
    def failures(self) -> int:
        """Attempts of its steps that failed."""
        return sum(step.failures for step in self.steps)


@dataclass(frozen=True, slots=True)
class FinishedExecution:
    """An execution as its run is summarised from it.

    Attributes:
        succeeded: Whether Step Functions says so.
        input: What it was started with.
        output: What its steps left: the document that its last state was given, or gave.
        read: Returns an object of the lake bucket by its key. Raises MissingObjectError.
    """

    succeeded: bool
    input: Document
    output: Document
    read: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Summary of a run: its subject and its figures.

    Attributes:
        subject: As in its record; likewise `rows` and `dirty`.
        outcome: One of its kind's `outcomes`; "" if it did not get so far.
        counts: Its kind's figures; those left out are 0.
        places: Keys in the lake bucket of what it left, by name.
    """

    subject: str = ""
    outcome: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def sum_counts(runs: Iterable[RunRecord]) -> dict[str, int]:
    """Add up the counts of runs."""
    total: Counter[str] = Counter()
    for run in runs:
        total.update(run.counts)
    return dict(total)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """A kind of run: the executions of one state machine.

    Attributes:
        name: In record ids, in JSON and in the table RUNS, such as ``convert``.
        title: In messages and on pages, plural, such as ``conversions``.
        outcomes: The outcomes it has besides failed, timed_out and aborted.
        counts: Its figures with what each counts; each is a column of the table RUNS.
        summarise: Returns what an execution did.
        add_up: Returns the sums of the counts of runs, which are given in the order of their starts.
        scheduled: Whether digests report that no run took place though some are usual.
    """

    name: str
    title: str
    outcomes: Mapping[str, Result]
    counts: Mapping[str, str]
    summarise: Callable[[FinishedExecution], RunSummary]
    add_up: Callable[[Sequence[RunRecord]], Mapping[str, int]] = sum_counts
    scheduled: bool = True

    @property
    def machine_output(self) -> str:
        """Name of the stack output that holds the machine's ARN, such as ``ConvertMachine``."""
        return f"{self.name.title().replace('_', '')}Machine"

    def result(self, outcome: str) -> Result:
        """Return what an outcome of such a run means."""
        return Result.FAILED if outcome in UNFINISHED else self.outcomes.get(outcome, Result.IDLE)
