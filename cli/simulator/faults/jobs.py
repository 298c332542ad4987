"""Faults of the vendor's jobs, of the trigger and of its clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from cli.simulator.exchange import Call
from cli.simulator.faults.access import Happening
from cli.simulator.faults.base import Fault, Target
from cli.simulator.faults.wire import Spoiled
from cli.simulator.timing import Wording

UNKNOWN_STATUSES = ("Queued", "Completing", "Replicating 45%", "complete?", "", None, 7, ["Complete"])


class Status(Fault):
    """Jobs report something else."""

    def __init__(self, change: Callable[[str], Any]) -> None:
        """Say what, given the truth."""
        self._change = change

    def status(self, status: str) -> Any:  # noqa: ANN401 - vendors answer anything
        """Report something else."""
        return self._change(status)


class ClockSkewed(Fault):
    """The vendor's clock is off by so many seconds, in the Date header and in the sentence that refuses a trigger."""

    def __init__(self, seconds: float) -> None:
        """Say by how many; it is behind when they are negative."""
        self.skew = timedelta(seconds=seconds)


class Refusal(Fault):
    """The sentence that refuses a trigger is worded in another way."""

    def __init__(self, wording: Wording) -> None:
        """Say in which."""
        self.wording = wording


def job_ends(word: str = "Failed") -> Fault:
    """Jobs end with this word and not with Complete."""
    return Status(lambda status: word if status == "Complete" else status)


def job_hangs() -> Fault:
    """Jobs run for ever."""
    return Status(lambda status: "Running" if status == "Complete" else status)


def unknown_statuses(words: tuple[Any, ...] = UNKNOWN_STATUSES) -> Fault:
    """Each poll answers another word that nobody knows, then the true status."""
    left = itertools.chain(words)
    return Status(lambda status: next(left, status))


def refused_with(status: int) -> Fault:
    """A trigger is refused with this status."""
    return Spoiled(
        Target(Call.EXPORT),
        lambda answer: replace(answer, status=status) if answer.status == HTTPStatus.BAD_REQUEST else answer,
    )


def triggered_elsewhere() -> Fault:
    """Somebody else triggered a job just before the first trigger, which is refused."""
    return Happening(Target(Call.EXPORT, times=1), lambda vendor: vendor.jobs.trigger_elsewhere(vendor.clock()))
