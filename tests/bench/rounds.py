"""Measuring in turns: every candidate runs once per round, so that what disturbs the machine disturbs all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
