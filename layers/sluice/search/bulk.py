"""Rows of the profiling log as documents, sent to the cluster in bulk.

Of an error a document holds kind and place, never what an event held there.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.lake.batching import cut
from sluice.search.cluster import BulkResult, BusyError, RetryPolicy, SearchCluster, TooLargeError
from sluice.search.indices import Indices, monthly

_ROWS_AT_A_TIME = 5000
_POSITION = re.compile(r"/\d+(?=/|$)")


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
    rows = pq.ParquetFile(pa.BufferReader(parquet)).iter_batches(_ROWS_AT_A_TIME)
    for place, row in enumerate(row for batch in rows for row in batch.to_pylist()):
        yield _document(row, place, indices)


def _document(row: dict[str, Any], place: int, indices: Indices) -> Document:
    index = monthly(indices.alias_of(row["service_name"]), row["timestamp"])
    errors = _errors(orjson.loads(row["errors"]))
    return Document(index, f"{row['workflow_run_id']}-{place}", orjson.dumps({**row, "errors": errors}))


def _errors(by_reason: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return reason and place of every error, without the sentences: they may quote values."""
    pairs = ((reason, pointer) for reason, pointers in by_reason.items() for pointer in pointers or ("",))
    places = dict.fromkeys((reason, _POSITION.sub("/*", pointer)) for reason, pointer in pairs)
    return [{"reason": reason, "pointer": pointer} for reason, pointer in places]


_PUT_OFF = frozenset({408, 429, 500, 502, 503, 504})
_TOO_LARGE = "request_too_large"
_MIB = 1024 * 1024


class OutOfTimeError(Exception):
    """The time is up; what is not sent is left to the next call."""


@dataclass(slots=True)
class SendProgress:
    """Progress of sending a run's documents: `settled` of them are taken or refused."""

    settled: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class BulkLoader:
    """Sends documents and goes on where only some of them were taken."""

    def __init__(
        self, cluster: SearchCluster, policy: RetryPolicy, max_bytes: int = 4 * _MIB, max_documents: int = 2000
    ) -> None:
        """Bind the cluster, and limits of one request."""
        self._cluster = cluster
        self._policy = policy
        self._limits = max_bytes, max_documents

    def send(self, documents: Iterable[Document], sent: SendProgress) -> None:
        """Send all documents and keep count in `sent`, which is right also when an error is raised.

        Raises:
            OutOfTimeError: The time is up.
            SearchError: The cluster takes no more; what it said is in the message.
        """
        for batch in cut(documents, _size, *self._limits):
            if self._policy.seconds_left() <= 0:
                raise OutOfTimeError
            refused = self._settle(batch)
            sent.settled += len(batch)
            sent.refused += refused

    def _settle(self, batch: Sequence[Document]) -> Counter[str]:
        """Send until every document is taken or refused; count those refused by the kind of error."""
        refused: Counter[str] = Counter()
        waiting = list(batch)

        def send() -> None:
            nonlocal waiting
            results = self._cluster.bulk(b"".join(document.lines for document in waiting), len(waiting))
            refused.update(result.error for result in results if _is_refused(result))
            put_off = [each for each in zip(waiting, results, strict=True) if each[1].status in _PUT_OFF]
            waiting = [document for document, _ in put_off]
            if put_off:
                first = put_off[0][1]
                raise BusyError(f"{len(put_off)} documents were put off: {first.error or first.status}")

        try:
            self._policy.retrying()(send)
        except TooLargeError:
            return refused + self._settle_halves(waiting)
        return refused

    def _settle_halves(self, batch: Sequence[Document]) -> Counter[str]:
        if len(batch) == 1:
            return Counter([_TOO_LARGE])
        middle = len(batch) // 2
        return self._settle(batch[:middle]) + self._settle(batch[middle:])


def _size(document: Document) -> int:
    return len(document.lines)


def _is_refused(result: BulkResult) -> bool:
    return result.status >= 300 and result.status not in _PUT_OFF  # noqa: PLR2004 - the statuses of success are below
