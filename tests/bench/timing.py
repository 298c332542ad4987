"""Rounds in which every candidate runs in turn, and the share of the machine that the host gave to others meanwhile."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, smallest and largest of the rounds."""

    median: float
    min: float
    max: float


Seconds = dict[str, list[float]]


def in_turns(candidates: Mapping[str, Callable[[], object]], rounds: int = ROUNDS, *, warm: bool = False) -> Seconds:
    """Run each candidate once unless all are warm, then in every round, beginning with another each time."""
    for run in () if warm else candidates.values():
        run()
    seconds: Seconds = {name: [] for name in candidates}
    names = list(candidates)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            gc.collect()
            began = time.perf_counter()
            candidates[name]()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def ratios(seconds: Seconds, ours: str, theirs: str) -> Spread:
    """Tell how many times as long as ours theirs took, round by round."""
    return spread([other / own for own, other in zip(seconds[ours], seconds[theirs], strict=True)])


def spread(values: Sequence[float]) -> Spread:
    """Summarise the rounds."""
    return Spread(statistics.median(values), min(values), max(values))


WITHHELD = "{:.0%} of the processor time it wanted went to the host's other guests"

_STAT = Path("/proc/stat")


class Processors(NamedTuple):
    """Ticks since the machine was started: those with work, and those of them that the host gave to others."""

    wanted: int
    withheld: int

    def withheld_since(self, before: "Processors") -> float:
        """Return the share of the time wanted since then that was given to others, from 0 to 1."""
        return (self.withheld - before.withheld) / max(1, self.wanted - before.wanted)


def processors(stat: Path = _STAT) -> Processors:
    """Read the counts of Linux; other systems have none."""
    if not stat.exists():
        return Processors(0, 0)
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, stat.read_text().split()[1:9])
    return Processors(user + nice + system + irq + softirq + stolen, stolen)


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Runs from when it is made."""

    _begun: float = field(default_factory=time.monotonic)
    _before: Processors = field(default_factory=processors)

    def seconds(self) -> float:
        """Return how long it has run."""
        return time.monotonic() - self._begun

    def withheld(self) -> float:
        """Return the share of the processors' time that was wanted meanwhile and given to others, from 0 to 1."""
        return processors().withheld_since(self._before)
