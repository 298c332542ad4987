"""The media index: finds the object of the media bucket that holds a medium, by one query.

"The first object whose key contains ``<medialib>/<media_id>``" cannot be asked of S3, which finds keys by their
beginning only. So every key is indexed once per folder in it: ``a/MYLIB/1f2e.png`` under ``MYLIB`` as ``1f2e.png``,
and under ``a`` as ``MYLIB/1f2e.png``. What precedes the folder makes the sort key unique.

Changes are told late, again and in any order, to several functions at a time. So an item keeps the sequencer of the
change that made it what it is, and gives way to none before that one. An object that went leaves its items behind, as
marks without a key, for longer than a change can be late.
"""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sluice.aws.runtime import Item, is_met, to_dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MARKED_SECONDS = 60 * 86_400  # a message waits 14 days in its queue, and after a redrive as long again
_SKEW_SECONDS = 15 * 60  # of clocks; AWS refuses requests beyond it
_MAX_KNOWN = 10_000  # look-ups remembered by one process
_MISSING_SECONDS = 60  # how long a medium that is not there is not looked for again: a large file asks for it often
_CANDIDATES = 100  # objects compared per look-up, if any is there; what more begin with is no id, and any will do
_LATEST = "attribute_not_exists(sequencer) OR sequencer <= :sequencer"
_MARKED_BEFORE = "attribute_not_exists(pk) OR expires_at < :expires_at"


class DynamoMediaIndex:
    """Looks media up, and keeps the index; `clock` gives the time in seconds since 1970."""

    def __init__(
        self, client: "DynamoDBClient", table: str, bucket: str, clock: Callable[[], float] = time.time
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

    def note(self, key: str, sequencer: str, *, is_there: bool) -> None:
        """Note whether an object is there after the change with this sequencer; what a later change left stays."""
        values: Item = {":sequencer": sequencer}
        if is_there:
            self._update(
                key, "SET #key = :key, sequencer = :sequencer REMOVE expires_at", _LATEST, values | {":key": key}
            )
        else:
            values[":expires_at"] = int(self._clock()) + _MARKED_SECONDS
            self._update(key, "SET expires_at = :expires_at, sequencer = :sequencer REMOVE #key", _LATEST, values)

    def add(self, key: str, listed_at: float) -> None:
        """Index an object of a list that was begun at a time of the clock; that it went since then stays noted."""
        marked_before = int(listed_at) - _SKEW_SECONDS
        values = {":key": key, ":expires_at": marked_before + _MARKED_SECONDS}
        self._update(key, "SET #key = :key REMOVE expires_at", _MARKED_BEFORE, values)

    def _query(self, medialib: str, media_id: str) -> str | None:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :folder AND begins_with(sk, :name)",
            FilterExpression="attribute_exists(#key)",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues=to_dynamodb({":folder": medialib, ":name": media_id}),
            PaginationConfig={"PageSize": _CANDIDATES},
        )
        for page in pages:
            keys = (item["key"]["S"] for item in page["Items"])
            if first := min((key for key in keys if f"{medialib}/{media_id}" in key), default=None):
                return f"s3://{self._bucket}/{first}"
        return None

    def _update(self, key: str, change: str, condition: str, values: Item) -> None:
        for place in _places(key):
            request: dict[str, Any] = {
                "TableName": self._table,
                "Key": to_dynamodb(place),
                "UpdateExpression": change,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#key": "key"},
                "ExpressionAttributeValues": to_dynamodb(values),
            }
            is_met(lambda request=request: self._client.update_item(**request))  # type: ignore[misc]


def _places(key: str) -> Iterator[Item]:
    """Yield the index's keys for an object: each folder of it, with the rest of the key and the part before it."""
    folders = key.split("/")
    for depth, folder in enumerate(folders[:-1]):
        rest, before = "/".join(folders[depth + 1 :]), "/".join(folders[:depth])
        if folder and rest:
            yield {"pk": folder, "sk": f"{rest}\n{before}"}
