"""Markers of runs whose profiling log is not in the search cluster yet, one object each."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from sluice.contracts.model import PROFILING_LOG
from sluice.lake.object_store import RUNS_PREFIX, ObjectStore, table_prefix

SEARCH_PREFIX = f"{RUNS_PREFIX}search/"
PENDING_PREFIX = f"{SEARCH_PREFIX}pending/"
REFUSED_PREFIX = f"{SEARCH_PREFIX}refused/"


@dataclass(frozen=True, slots=True)
class PendingRun:
    """A run, the key of its profiling log, how many of its rows are settled, and how many of these were refused."""

    run_id: str
    profile_key: str
    settled: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Key of the marker."""
        return f"{PENDING_PREFIX}{self.run_id}.json"

    def after(self, settled: int, refused: Counter[str]) -> "PendingRun":
        """Return the run with so many more rows settled, and these of them refused."""
        return replace(self, settled=self.settled + settled, refused=dict(Counter(self.refused) + refused))


def mark_pending(lake: ObjectStore, run: PendingRun) -> None:
    """Leave the marker of a run, or write how far it has come."""
    lake.write(run.key, orjson.dumps(run))


def pending_runs(lake: ObjectStore) -> list[tuple[PendingRun, datetime]]:
    """Return every pending run and since when it waits, oldest first: ids begin with their time."""
    return [(PendingRun(**orjson.loads(lake.read(found.key))), found.modified) for found in lake.list(PENDING_PREFIX)]


def finish(lake: ObjectStore, run: PendingRun) -> None:
    """Remove the marker of a run; where documents of it were refused for good, keep a note of why."""
    if run.refused:
        lake.write(f"{REFUSED_PREFIX}{run.run_id}.json", orjson.dumps(run))
    lake.delete([run.key])


def mark_again(lake: ObjectStore, since: datetime) -> int:
    """Mark every run pending whose profiling log was published since then; return how many."""
    runs = [
        PendingRun(found.key.rpartition("/")[2].removesuffix(".parquet"), found.key)
        for found in lake.list(f"{table_prefix(PROFILING_LOG.name)}year=")
        if found.modified >= since
    ]
    for run in runs:
        mark_pending(lake, run)
    return len(runs)
