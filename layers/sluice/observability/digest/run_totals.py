"""What the runs of some time did, summed up."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TypeVar

from sluice.observability.digest.periods import moment
from sluice.runs.model import Kind, RunRecord

FAILURES = frozenset({"failed", "timed_out", "aborted", "incomplete"})
"""Outcomes that somebody has to look at."""

WORKED = "converted"
"""The outcome of a conversion that had something to do."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over runs.

    Attributes:
        outcomes: Number of runs by kind and outcome.
        counts: The records' counts by kind and name; of missing files, those the last run of each slot left missing.
        rows: Rows written, by table.
        dirty: Dirty events by table and reason.
        steps: Median seconds of each step of the conversions that converted something.
        visits: States the runs went through, each counted once per run, by kind.
        seconds: Seconds the runs took, by kind.
    """

    outcomes: Mapping[Kind, Mapping[str, int]]
    counts: Mapping[Kind, Mapping[str, int]]
    rows: Mapping[str, int]
    dirty: Mapping[tuple[str, str], int]
    steps: Mapping[str, float]
    visits: Mapping[Kind, int]
    seconds: Mapping[Kind, float]

    @classmethod
    def of(cls, records: Iterable[RunRecord]) -> "Tally":
        """Sum up."""
        runs = list(records)
        kinds = {kind: [run for run in runs if run.kind is kind] for kind in Kind}
        return cls(
            outcomes={kind: Counter(run.outcome for run in some) for kind, some in kinds.items()},
            counts={kind: _added(run.counts for run in some) for kind, some in kinds.items()}
            | {Kind.EXPORT: _exported(kinds[Kind.EXPORT])},
            rows=_added(run.rows for run in runs),
            dirty=_added({(t, r): n for t, reasons in run.dirty.items() for r, n in reasons.items()} for run in runs),
            steps=_medians(run for run in kinds[Kind.CONVERT] if run.outcome == WORKED),
            visits={kind: sum(len(run.steps) for run in some) for kind, some in kinds.items()},
            seconds={kind: sum(run.seconds for run in some) for kind, some in kinds.items()},
        )

    def runs(self, kind: Kind) -> int:
        """Return the number of runs of a kind."""
        return sum(self.outcomes[kind].values())

    def failed(self, kind: Kind) -> int:
        """Return how many of them failed."""
        return sum(count for outcome, count in self.outcomes[kind].items() if outcome in FAILURES)

    def success(self, kind: Kind) -> float | None:
        """Return the share of them that did not; None without any."""
        runs = self.runs(kind)
        return 1 - self.failed(kind) / runs if runs else None

    def count(self, kind: Kind, name: str) -> int:
        """Return the sum of one count."""
        return self.counts[kind].get(name, 0)

    @property
    def clean(self) -> int:
        """Clean events."""
        return self.count(Kind.CONVERT, "events")

    @property
    def clean_share(self) -> float | None:
        """Clean events by clean and dirty ones; None without any."""
        own = self.clean + self.count(Kind.CONVERT, "dirty")
        return self.clean / own if own else None


def started(record: RunRecord) -> datetime:
    """Return when a run started, UTC."""
    return moment(record.started_at)


def _added(parts: Iterable[Mapping[K, int]]) -> dict[K, int]:
    total: Counter[K] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def _exported(runs: Iterable[RunRecord]) -> dict[str, int]:
    """Add up exports: a file that one run missed may have come with the next."""
    found = sorted(runs, key=started)
    last = {run.subject: run for run in found if run.counts.get("promised")}
    missing = sum(run.counts.get("missing", 0) for run in last.values())
    return {**_added(run.counts for run in found), "missing": missing}


def _medians(runs: Iterable[RunRecord]) -> dict[str, float]:
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for run in runs:
        for step in run.steps:
            seconds[step.name].append(step.seconds)
    return {name: median(found) for name, found in seconds.items()}
