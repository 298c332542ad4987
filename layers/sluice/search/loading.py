"""Loading of pending runs into the search cluster, oldest first, while there is time."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.search.bulk import BulkLoader, OutOfTimeError, documents_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLoader:
    """Loads the profiling logs of pending runs.

    Attributes:
        lake: The lake bucket.
        cluster: The search cluster.
        policy: Limits of repetition.
        indices: Indices of the stage.
        hold: Time that a run waits for others; those that are pending are loaded together.
        retention_days: Months that ended more days ago are removed.
        now: Returns the time, UTC.
    """

    lake: ObjectStore
    cluster: SearchCluster
    policy: RetryPolicy
    indices: Indices
    hold: timedelta
    retention_days: int
    now: Callable[[], datetime]

    def run(self, *, at_once: bool = False) -> LoadReport:
        """Load, not waiting for other runs if `at_once`; errors of the cluster are in the report."""
        pending = pending_runs(self.lake)
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
        waited = self.now() - pending[0][1]
        return waited >= self.hold or any(run.settled for run, _ in pending)

    def _load(self, run: PendingRun, report: LoadReport) -> None:
        progress = run
        try:
            documents = documents_of(self.lake.read(run.profile_key), self.indices)
            for settled, refused in BulkLoader(self.cluster, self.policy).send(islice(documents, run.settled, None)):
                progress = progress.after(settled, refused)
                report.documents += settled
                report.refused += refused
        except MissingObjectError:
            gone = Counter([_PROFILE_IS_GONE])
            progress = progress.after(0, gone)
            report.refused += gone
        except (OutOfTimeError, SearchError):
            if progress != run:
                mark_pending(self.lake, progress)
            raise
        finish(self.lake, progress)
        report.runs += 1
        report.waiting -= 1
        report.refused_runs += bool(progress.refused)

    def _remove_expired(self) -> None:
        for alias in self.indices.aliases:
            names = self.cluster.indices(pattern(alias))
            for name in expired(names, alias, self.now(), self.retention_days):
                self.cluster.delete_index(name)
