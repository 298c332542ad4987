"""Kinds of runs: what a pipeline registers of each of its state machines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FinishedExecution:
    """An execution that has ended, as its run is summarised from it.

    Attributes:
        status: In the words of Step Functions, such as ``SUCCEEDED``.
        input: What it was started with.
        output: What its steps left: the document that its last state was given, or gave.
        read: Returns an object of the lake bucket by its key. Raises MissingObjectError.
    """

    status: str
    input: Document
    output: Document
    read: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run worked on and did.

    Attributes:
        subject: A conversion's run id, an export's slot, …; "" when it took nothing.
        outcome: How it ended, in the words of its kind (`RunKind.outcomes`); "" where it did not get so far.
        counts: Its figures (`RunKind.counts`).
        rows: Rows written, by table.
        dirty: Dirty events by table (``-``: unknown) and reason.
        places: Keys in the lake bucket of what it left, by name.
    """

    subject: str = ""
    outcome: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """A kind of run: the executions of one state machine.

    Attributes:
        name: In record ids, in JSON and in the table RUNS, such as ``convert``.
        title: In messages and on pages, plural, such as ``conversions``.
        outcomes: The outcomes it has besides failed, timed_out and aborted; True for one that did all of its work,
            False for one that had nothing to do, None for one that somebody has to look at.
        counts: Its figures with what each counts.
        summarise: Returns what an execution did.
    """

    name: str
    title: str
    outcomes: Mapping[str, bool | None]
    counts: Mapping[str, str]
    summarise: Callable[[FinishedExecution], RunSummary]

    @property
    def machine_output(self) -> str:
        """Name of the stack output that holds the machine's ARN, such as ``ConvertMachine``."""
        return f"{self.name.title().replace('_', '')}Machine"
