"""Sums over the runs of a period."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Self, TypeVar

from sluice.runs.model import Result, RunKind, RunRecord

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class RunTotals:
    """Sums over runs; where `kind` is asked for, it is the name of a `RunKind`.

    Attributes:
        outcomes: Number of runs by kind and outcome.
        results: Number of runs by kind and result.
        counts: The records' counts by kind and name, as the kind adds them up.
        rows: Rows written, by table.
        commits: How often a run added rows to a table, the log of its events among them, by kind.
        dirty: Dirty events by table and reason.
        steps: Median seconds of each step, by kind, of the runs that worked.
        states: States the runs went through, each counted once per run, by kind.
        seconds: Seconds the runs took, by kind.
    """

    outcomes: Mapping[str, Mapping[str, int]]
    results: Mapping[str, Mapping[Result, int]]
    counts: Mapping[str, Mapping[str, int]]
    rows: Mapping[str, int]
    commits: Mapping[str, int]
    dirty: Mapping[tuple[str, str], int]
    steps: Mapping[str, Mapping[str, float]]
    states: Mapping[str, int]
    seconds: Mapping[str, float]

    @classmethod
    def of(cls, records: Iterable[RunRecord], kinds: Mapping[str, RunKind]) -> Self:
        """Sum up the runs of these kinds."""
        runs = sorted((run for run in records if run.kind in kinds), key=lambda run: run.start)
        by_kind = {name: [run for run in runs if run.kind == name] for name in kinds}
        return cls(
            outcomes={name: Counter(run.outcome for run in some) for name, some in by_kind.items()},
            results={name: Counter(kinds[name].result(run.outcome) for run in some) for name, some in by_kind.items()},
            counts={name: kinds[name].add_up(some) for name, some in by_kind.items()},
            rows=_added(run.rows for run in runs),
            commits={name: sum(len(run.rows) + 1 for run in some if run.rows) for name, some in by_kind.items()},
            dirty=_added({(t, r): n for t, reasons in run.dirty.items() for r, n in reasons.items()} for run in runs),
            steps={name: _median_seconds(kinds[name], some) for name, some in by_kind.items()},
            states={name: sum(len(run.steps) for run in some) for name, some in by_kind.items()},
            seconds={name: sum(run.seconds for run in some) for name, some in by_kind.items()},
        )

    def runs(self, kind: str) -> int:
        """Return the number of runs of a kind."""
        return sum(self.outcomes[kind].values())

    def failed(self, kind: str) -> int:
        """Return how many of them failed."""
        return self.results[kind].get(Result.FAILED, 0)

    def success(self, kind: str) -> float | None:
        """Return the share of them that did not fail; None without any run."""
        runs = self.runs(kind)
        return 1 - self.failed(kind) / runs if runs else None

    def count(self, kind: str, name: str) -> int:
        """Return the sum of a count."""
        return self.counts[kind].get(name, 0)


def _added(parts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total: Counter[K] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def _median_seconds(kind: RunKind, runs: Iterable[RunRecord]) -> dict[str, float]:
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for run in runs:
        if kind.result(run.outcome) is Result.WORKED:
            for step in run.steps:
                seconds[step.name].append(step.seconds)
    return {name: median(found) for name, found in seconds.items()}
