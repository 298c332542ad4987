"""The media index: finds the object of the media bucket that holds a medium, by one query.

"The first object whose key contains ``<medialib>/<media_id>``" cannot be asked of S3, which finds keys by their
beginning only. So every key is indexed once per folder in it: ``a/MYLIB/1f2e.png`` under ``MYLIB`` as ``1f2e.png``,
and under ``a`` as ``MYLIB/1f2e.png``. What precedes the folder makes the sort key unique.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sluice.aws.runtime import Item, to_dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WRITE_LIMIT = 25  # items per BatchWriteItem
_MAX_KNOWN = 10_000  # look-ups remembered by one process
_MISSING_SECONDS = 60  # how long a medium that is not there is not looked for again: a large file asks for it often
_CANDIDATES = 100  # objects compared per look-up; what more of them begin with is no id, and any will do


class DynamoMediaIndex:
    """Looks media up, and keeps the index; `clock` gives seconds."""

    def __init__(
        self, client: "DynamoDBClient", table: str, bucket: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._table = table
        self._bucket = bucket
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[str | None, float]] = {}

    def find(self, medialib: str, media_id: str) -> str | None:
        """Return the ``s3://`` URI of the first object whose key contains ``<medialib>/<media_id>``."""
        if not medialib or not media_id:
            return None
        uri, looked_at = self._known.get((medialib, media_id), (None, -_MISSING_SECONDS))
        if uri is None and self._clock() - looked_at >= _MISSING_SECONDS:
            uri = self._query(medialib, media_id)
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[medialib, media_id] = uri, self._clock()
        return uri

    def add(self, keys: Iterable[str]) -> None:
        """Index objects of the media bucket."""
        items = ({**place, "key": key} for key in keys for place in _places(key))
        self._write({"PutRequest": {"Item": to_dynamodb(item)}} for item in items)

    def remove(self, keys: Iterable[str]) -> None:
        """Forget objects of the media bucket."""
        self._write({"DeleteRequest": {"Key": to_dynamodb(place)}} for key in keys for place in _places(key))

    def _query(self, medialib: str, media_id: str) -> str | None:
        response = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :folder AND begins_with(sk, :name)",
            ExpressionAttributeValues=to_dynamodb({":folder": medialib, ":name": media_id}),
            Limit=_CANDIDATES,
        )
        keys = (item["key"]["S"] for item in response["Items"])
        first = min((key for key in keys if f"{medialib}/{media_id}" in key), default=None)
        return first and f"s3://{self._bucket}/{first}"

    def _write(self, requests: Iterable[dict[str, Any]]) -> None:
        pending: list[Any] = []
        for request in requests:
            pending.append(request)
            if len(pending) == _WRITE_LIMIT:
                pending = self._flush(pending)
        while pending:
            pending = self._flush(pending)

    def _flush(self, requests: list[Any]) -> list[Any]:
        """Write a batch; return what DynamoDB did not take, to be sent again with the next."""
        response = self._client.batch_write_item(RequestItems={self._table: requests})
        return list(response["UnprocessedItems"].get(self._table, ()))


def _places(key: str) -> Iterator[Item]:
    """Yield the index's keys for an object: each folder of it, with the rest of the key and the part before it."""
    folders = key.split("/")
    for depth, folder in enumerate(folders[:-1]):
        rest, before = "/".join(folders[depth + 1 :]), "/".join(folders[:depth])
        if folder and rest:
            yield {"pk": folder, "sk": f"{rest}\n{before}"}
