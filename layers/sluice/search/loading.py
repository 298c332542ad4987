"""Loading of pending runs into the search cluster, oldest first, while there is time."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.search.bulk import BulkLoader, OutOfTimeError, SendProgress, documents_of
from sluice.search.cluster import RetryPolicy, SearchCluster, SearchError
from sluice.search.indices import Indices, expired, pattern
from sluice.search.pending import PendingRun, finish, mark_pending, pending_runs

_PROFILE_IS_GONE = "profile_is_gone"


@dataclass(slots=True)
class LoadReport:
    """Result of a load: runs and documents settled, refused documents by kind, runs that wait, and the error if any."""

    runs: int = 0
    documents: int = 0
    refused_runs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    error: str = ""

    @property
    def failed(self) -> int:
        """Runs that the cluster did not take, or not all of."""
        return self.refused_runs + (self.waiting if self.error else 0)


@dataclass(frozen=True, slots=True)
class LoadSchedule:
    """Schedule: load once a run waits for `hold`; remove months that ended more than `retention_days` ago."""

    hold: timedelta
    retention_days: int
    now: Callable[[], datetime]


class SearchLoader:
    """Loads the profiling logs of pending runs."""

    def __init__(
        self, lake: ObjectStore, cluster: SearchCluster, policy: RetryPolicy, indices: Indices, schedule: LoadSchedule
    ) -> None:
        """Bind files, cluster and limits."""
        self._lake = lake
        self._cluster = cluster
        self._loader = BulkLoader(cluster, policy)
        self._indices = indices
        self._schedule = schedule

    def run(self, *, at_once: bool = False) -> LoadReport:
        """Load, not waiting for other runs if `at_once`; errors of the cluster are in the report."""
        pending = pending_runs(self._lake)
        report = LoadReport(waiting=len(pending))
        if not pending or not (at_once or self._is_due(pending)):
            return report
        try:
            for run, _ in pending:
                self._load(run, report)
            self._remove_expired()
        except OutOfTimeError:
            return report
        except SearchError as error:
            report.error = str(error)
        return report

    def _is_due(self, pending: Sequence[tuple[PendingRun, datetime]]) -> bool:
        """Return whether the oldest has waited long enough, or one is half done: then the cluster is awake."""
        waited = self._schedule.now() - pending[0][1]
        return waited >= self._schedule.hold or any(run.settled for run, _ in pending)

    def _load(self, run: PendingRun, report: LoadReport) -> None:
        sent = SendProgress()
        try:
            documents = documents_of(self._lake.read(run.profile_key), self._indices)
            self._loader.send(itertools.islice(documents, run.settled, None), sent)
        except MissingObjectError:
            sent.refused[_PROFILE_IS_GONE] += 1
        except (OutOfTimeError, SearchError):
            if sent.settled:
                mark_pending(self._lake, _progressed(run, sent))
            raise
        finally:
            report.documents += sent.settled
            report.refused += sent.refused
        finish(self._lake, _progressed(run, sent))
        report.runs += 1
        report.waiting -= 1
        report.refused_runs += bool(_progressed(run, sent).refused)

    def _remove_expired(self) -> None:
        for alias in self._indices.aliases:
            names = self._cluster.indices(pattern(alias))
            for name in expired(names, alias, self._schedule.now(), self._schedule.retention_days):
                self._cluster.delete_index(name)


def _progressed(run: PendingRun, sent: SendProgress) -> PendingRun:
    refused = Counter(run.refused) + sent.refused
    return replace(run, settled=run.settled + sent.settled, refused=dict(refused))
