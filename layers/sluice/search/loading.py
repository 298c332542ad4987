"""Loading of pending runs into the search cluster as documents, oldest first, while there is time."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.lake.batching import cut
from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.search.cluster import PUT_OFF, BulkResult, BusyError, RetryPolicy, SearchCluster, SearchError, TooLargeError
from sluice.search.indices import Indices, expired, monthly, pattern
from sluice.search.pending import PendingRun, finish, mark_pending, pending_runs

_PROFILE_IS_GONE = "profile_is_gone"
_ROWS_AT_A_TIME = 5000
_POSITION = re.compile(r"/\d+(?=/|$)")
_TOO_LARGE = "request_too_large"


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


@dataclass(frozen=True, slots=True)
class Document:
    """A document and its index; the same row has the same id whenever it is loaded."""

    index: str
    id: str
    source: bytes

    @property
    def lines(self) -> bytes:
        """The document as the bulk API takes it: a line for the action, one for the source."""
        return b"%b\n%b\n" % (orjson.dumps({"index": {"_index": self.index, "_id": self.id}}), self.source)


def documents_of(parquet: bytes, indices: Indices) -> Iterator[Document]:
    """Yield the documents of a run's file, in order.

    The file of a run is written once, so a row's place in it identifies the row.
    """
    batches = pq.ParquetFile(pa.BufferReader(parquet)).iter_batches(_ROWS_AT_A_TIME)
    for place, row in enumerate(row for batch in batches for row in batch.to_pylist()):
        index = monthly(indices.alias_of(row["service_name"]), row["timestamp"])
        source = orjson.dumps({**row, "errors": _errors(orjson.loads(row["errors"]))})
        yield Document(index, f"{row['workflow_run_id']}-{place}", source)


def _errors(by_reason: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return reason and place of every error, without the sentences: they may quote values."""
    pairs = ((reason, pointer) for reason, pointers in by_reason.items() for pointer in pointers or ("",))
    places = dict.fromkeys((reason, _POSITION.sub("/*", pointer)) for reason, pointer in pairs)
    return [{"reason": reason, "pointer": pointer} for reason, pointer in places]


class OutOfTimeError(Exception):
    """The time is up; what is not sent is left to the next call."""


@dataclass(frozen=True, slots=True)
class BulkLoader:
    """Sends documents to the cluster, and again those that it put off; `max_bytes` and more are limits of a request."""

    cluster: SearchCluster
    policy: RetryPolicy
    max_bytes: int = 4 * 1024 * 1024
    max_documents: int = 2000

    def send(self, documents: Iterable[Document]) -> Iterator[tuple[int, Counter[str]]]:
        """Send documents in batches; yield the size of each batch that is settled, and its refusals by kind of error.

        Raises:
            OutOfTimeError: The time is up.
            SearchError: The cluster takes no more; what it said is in the message.
        """
        for batch in cut(documents, lambda document: len(document.lines), self.max_bytes, self.max_documents):
            if self.policy.seconds_left() <= 0:
                raise OutOfTimeError
            yield len(batch), self._settle(batch)

    def _settle(self, batch: Sequence[Document]) -> Counter[str]:
        """Send until every document is taken or refused; count those refused by the kind of error."""
        refused: Counter[str] = Counter()
        waiting = list(batch)

        def send() -> None:
            nonlocal waiting
            results = self.cluster.bulk(b"".join(document.lines for document in waiting), len(waiting))
            refused.update(result.error for result in results if _is_refused(result))
            put_off = [each for each in zip(waiting, results, strict=True) if each[1].status in PUT_OFF]
            waiting = [document for document, _ in put_off]
            if put_off:
                first = put_off[0][1]
                raise BusyError(f"{len(put_off)} documents were put off: {first.error or first.status}")

        try:
            self.policy.call(send)
        except TooLargeError:
            middle = len(waiting) // 2
            if not middle:
                return refused + Counter([_TOO_LARGE])
            return refused + self._settle(waiting[:middle]) + self._settle(waiting[middle:])
        return refused


def _is_refused(result: BulkResult) -> bool:
    return result.status >= 300 and result.status not in PUT_OFF  # noqa: PLR2004 - the statuses of success are below
