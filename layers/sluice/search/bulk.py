"""Documents to the cluster in bulk: each is taken, refused for good, or still to be sent."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sluice.search.documents import Document
from sluice.search.patience import Patience
from sluice.search.ports import Answer, BusyError, Cluster, TooLargeError

_PUT_OFF = frozenset({408, 429, 500, 502, 503, 504})
_TOO_LARGE = "request_too_large"


class NoTimeError(Exception):
    """The time is up; what is not sent is for the next time."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """Limits of one request."""

    max_bytes: int = 4 * 1024 * 1024
    max_documents: int = 2000


@dataclass(slots=True)
class Sent:
    """How far the sending of a run's documents has come: `settled` of them are taken or refused."""

    settled: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class BulkLoader:
    """Sends documents and goes on where only some of them were taken."""

    def __init__(self, cluster: Cluster, patience: Patience, limits: Bulk | None = None) -> None:
        """Bind the cluster."""
        self._cluster = cluster
        self._patience = patience
        self._limits = limits or Bulk()

    def send(self, documents: Iterable[Document], sent: Sent) -> None:
        """Send all documents and keep count in `sent`, which is right whatever is raised.

        Raises:
            NoTimeError: The time is up.
            SearchError: The cluster takes no more; what it said is in the message.
        """
        for batch in self._batches(documents):
            if self._patience.seconds_left() <= 0:
                raise NoTimeError
            refused = self._settle(batch)
            sent.settled += len(batch)
            sent.refused += refused

    def _batches(self, documents: Iterable[Document]) -> Iterator[list[Document]]:
        batch: list[Document] = []
        size = 0
        for document in documents:
            length = len(document.lines)
            if batch and (size + length > self._limits.max_bytes or len(batch) == self._limits.max_documents):
                yield batch
                batch, size = [], 0
            batch.append(document)
            size += length
        if batch:
            yield batch

    def _settle(self, batch: Sequence[Document]) -> Counter[str]:
        """Send until every document is taken or refused; count those refused by the kind of error."""
        refused: Counter[str] = Counter()
        trouble = BusyError("there was no time to ask")
        for _ in self._patience.tries():
            try:
                answers = self._cluster.bulk(b"".join(document.lines for document in batch), len(batch))
            except TooLargeError:
                return refused + self._settle_halves(batch)
            except BusyError as error:
                trouble = error
                continue
            refused.update(answer.error for answer in answers if _is_refused(answer))
            waiting = [(document, answer) for document, answer in zip(batch, answers, strict=True) if _waits(answer)]
            if not waiting:
                return refused
            batch = [document for document, _ in waiting]
            trouble = BusyError(f"{len(waiting)} documents were put off: {waiting[0][1].error or waiting[0][1].status}")
        raise trouble

    def _settle_halves(self, batch: Sequence[Document]) -> Counter[str]:
        if len(batch) == 1:
            return Counter([_TOO_LARGE])
        middle = len(batch) // 2
        return self._settle(batch[:middle]) + self._settle(batch[middle:])


def _waits(answer: Answer) -> bool:
    return answer.status in _PUT_OFF


def _is_refused(answer: Answer) -> bool:
    return answer.status >= 300 and not _waits(answer)  # noqa: PLR2004 - the statuses of success are below
