"""The messages of one invocation, and the queue that they come from."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_ENTRIES = 10  # of one request


class NotDoneError(Exception):
    """SQS did not do what it was asked for with some messages."""


class SqsMessages:
    """Removes messages from their queue, or sends them anew; `client` is asked for once it is needed."""

    def __init__(self, client: "Callable[[], SQSClient]", url: str, records: Collection[Mapping[str, Any]]) -> None:
        self._client = client
        self._url = url
        self._records = {record["messageId"]: record for record in records}

    def remove(self, ids: Collection[str]) -> None:
        """Remove messages that are done; those of an event made by hand are in no queue. Raises NotDoneError."""
        handles = [handle for each in ids if (handle := self._records[each].get("receiptHandle"))]
        for part in _entries(handles, "ReceiptHandle"):
            _assert_done(self._client().delete_message_batch(QueueUrl=self._url, Entries=part))

    def send_anew(self, ids: Collection[str]) -> None:
        """Send messages once more, with the same bodies, as if they had never been delivered. Raises NotDoneError."""
        for part in _entries([self._records[each]["body"] for each in ids], "MessageBody"):
            _assert_done(self._client().send_message_batch(QueueUrl=self._url, Entries=part))


def _entries(values: Collection[str], name: str) -> Iterator[Any]:
    entries = [{"Id": str(number), name: value} for number, value in enumerate(values)]
    for start in range(0, len(entries), _ENTRIES):
        yield entries[start : start + _ENTRIES]


def _assert_done(answer: Mapping[str, Any]) -> None:
    if answer.get("Failed"):
        raise NotDoneError(f"SQS refused {len(answer['Failed'])} messages: {answer['Failed'][0].get('Message')}")


def deliveries(record: Mapping[str, Any]) -> int:
    """Return how often SQS delivered a message; events made by hand do not say, and may be repetitions."""
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", "2"))
