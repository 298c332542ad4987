"""The media index: which object of the media bucket holds a medium, found by one query.

"The first object whose key contains ``<medialib>/<media_id>``" cannot be asked of S3, which finds keys by their
beginning only. So every key is indexed once per folder in it: ``a/MYLIB/1f2e.png`` under ``MYLIB`` as ``1f2e.png``,
and under ``a`` as ``MYLIB/1f2e.png``.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_serialize = TypeSerializer().serialize
_WRITE_LIMIT = 25  # items per BatchWriteItem
_MAX_KNOWN = 10_000  # look-ups remembered by one process
_SEPARATOR = "\n"  # sorts before any character a key has, so that the order is the keys' own


class DynamoMediaIndex:
    """Looks media up, and keeps the index."""

    def __init__(self, client: "DynamoDBClient", table: str, bucket: str) -> None:
        """Bind client, index table and media bucket."""
        self._client = client
        self._table = table
        self._bucket = bucket
        self._found: dict[tuple[str, str], str] = {}

    def find(self, medialib: str, media_id: str) -> str | None:
        """Return the ``s3://`` URI of the first object whose key contains ``<medialib>/<media_id>``."""
        if not medialib or not media_id:
            return None
        uri = self._found.get((medialib, media_id))
        if uri is None and (uri := self._query(medialib, media_id)):
            if len(self._found) >= _MAX_KNOWN:
                self._found.clear()
            self._found[medialib, media_id] = uri
        return uri

    def add(self, keys: Iterable[str]) -> None:
        """Index objects of the media bucket."""
        self._write({"PutRequest": {"Item": item}} for key in keys for item in _items(key))

    def remove(self, keys: Iterable[str]) -> None:
        """Forget objects of the media bucket."""
        self._write({"DeleteRequest": {"Key": item}} for key in keys for item in _items(key))

    def _query(self, medialib: str, media_id: str) -> str | None:
        response = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :folder AND begins_with(sk, :name)",
            ExpressionAttributeValues={":folder": _serialize(medialib), ":name": _serialize(media_id)},
            Limit=1,
        )
        for item in response["Items"]:
            return f"s3://{self._bucket}/{item['sk']['S'].partition(_SEPARATOR)[2]}"
        return None

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


def _items(key: str) -> Iterator[dict[str, Any]]:
    """Yield one index item per folder of a key: the folder, and what follows it."""
    folders = key.split("/")
    for depth, folder in enumerate(folders[:-1]):
        rest = "/".join(folders[depth + 1 :])
        if folder and rest:
            yield {"pk": _serialize(folder), "sk": _serialize(f"{rest}{_SEPARATOR}{key}")}
