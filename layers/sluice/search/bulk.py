"""Rows of the profiling log as documents, sent to the cluster in bulk.

Of an error a document holds kind and place, never what an event held there.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.lake.batching import cut
from sluice.search.cluster import PUT_OFF, BulkResult, BusyError, RetryPolicy, SearchCluster, TooLargeError
from sluice.search.indices import Indices, monthly

_ROWS_AT_A_TIME = 5000
_POSITION = re.compile(r"/\d+(?=/|$)")
_TOO_LARGE = "request_too_large"


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
