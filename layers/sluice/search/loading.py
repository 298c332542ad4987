"""Bring every pending run into the cluster, oldest first, while there is time."""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.search.bulk import BulkLoader, NoTimeError, Sent
from sluice.search.documents import documents_of
from sluice.search.indices import Indices, expired, pattern
from sluice.search.patience import Patience
from sluice.search.pending import PendingRun, finish, mark_pending, pending_runs
from sluice.search.ports import Cluster, SearchError

_PROFILE_IS_GONE = "profile_is_gone"


@dataclass(slots=True)
class Report:
    """What a load did: runs and documents settled, what was refused of them by kind, runs that wait, and why."""

    runs: int = 0
    documents: int = 0
    refused_runs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    trouble: str = ""

    @property
    def failed(self) -> int:
        """Runs that the cluster did not take, or not all of."""
        return self.refused_runs + (self.waiting if self.trouble else 0)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When to load: once a run waits for `hold`; months that ended more than `retention_days` ago are removed."""

    hold: timedelta
    retention_days: int
    now: Callable[[], datetime]


class Loading:
    """The use case of `load_search`."""

    def __init__(
        self, files: ObjectStore, cluster: Cluster, patience: Patience, indices: Indices, rhythm: Rhythm
    ) -> None:
        """Bind what is read, what is written, and how patiently."""
        self._files = files
        self._cluster = cluster
        self._loader = BulkLoader(cluster, patience)
        self._indices = indices
        self._rhythm = rhythm

    def run(self, *, at_once: bool = False) -> Report:
        """Load, not waiting for other runs if `at_once`; whatever the cluster does, the report says so."""
        pending = pending_runs(self._files)
        report = Report(waiting=len(pending))
        if not pending or not (at_once or self._is_due(pending)):
            return report
        try:
            for run, _ in pending:
                self._load(run, report)
            self._remove_expired()
        except NoTimeError:
            return report
        except SearchError as error:
            report.trouble = str(error)
        return report

    def _is_due(self, pending: Sequence[tuple[PendingRun, datetime]]) -> bool:
        """Tell whether the oldest has waited long enough, or one is half done: then the cluster is awake."""
        waited = self._rhythm.now() - pending[0][1]
        return waited >= self._rhythm.hold or any(run.settled for run, _ in pending)

    def _load(self, run: PendingRun, report: Report) -> None:
        sent = Sent()
        try:
            documents = documents_of(self._files.read(run.profile_key), self._indices)
            self._loader.send(itertools.islice(documents, run.settled, None), sent)
        except MissingObjectError:
            sent.refused[_PROFILE_IS_GONE] += 1
        except (NoTimeError, SearchError):
            if sent.settled:
                mark_pending(self._files, _further(run, sent))
            raise
        finally:
            report.documents += sent.settled
            report.refused += sent.refused
        finish(self._files, _further(run, sent))
        report.runs += 1
        report.waiting -= 1
        report.refused_runs += bool(_further(run, sent).refused)

    def _remove_expired(self) -> None:
        for alias in self._indices.aliases:
            names = self._cluster.indices(pattern(alias))
            for name in expired(names, alias, self._rhythm.now(), self._rhythm.retention_days):
                self._cluster.delete_index(name)


def _further(run: PendingRun, sent: Sent) -> PendingRun:
    refused = Counter(run.refused) + sent.refused
    return replace(run, settled=run.settled + sent.settled, refused=dict(refused))
