"""Runs whose profiling log is not in the cluster yet: one small object each, left before the run is closed."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime

import orjson

from sluice.contracts.system_tables import PROFILING_LOG
from sluice.lake.keys import RUNS_PREFIX, table_prefix
from sluice.lake.object_store import ObjectStore

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
        """Where the marker lies."""
        return f"{PENDING_PREFIX}{self.run_id}.json"


def mark_pending(files: ObjectStore, run: PendingRun) -> None:
    """Leave the marker of a run, or write how far it has come."""
    files.write(run.key, orjson.dumps(asdict(run)))


def pending_runs(files: ObjectStore) -> list[tuple[PendingRun, datetime]]:
    """Return every pending run and since when it waits, oldest first: ids begin with their time."""
    return [(PendingRun(**orjson.loads(files.read(found.key))), found.modified) for found in files.list(PENDING_PREFIX)]


def finish(files: ObjectStore, run: PendingRun) -> None:
    """Remove the marker of a run; where documents of it were refused for good, keep a note of why."""
    if run.refused:
        files.write(f"{REFUSED_PREFIX}{run.run_id}.json", orjson.dumps(asdict(run)))
    files.delete([run.key])


def mark_again(files: ObjectStore, since: datetime) -> int:
    """Mark every run pending whose profiling log was published since then; return how many."""
    runs = list(_published_since(files, since))
    for run in runs:
        mark_pending(files, run)
    return len(runs)


def _published_since(files: ObjectStore, since: datetime) -> Iterator[PendingRun]:
    for found in files.list(table_prefix(PROFILING_LOG.name)):
        if found.modified >= since:
            yield PendingRun(found.key.rpartition("/")[2].removesuffix(".parquet"), found.key)
