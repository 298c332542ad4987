"""The media index: finds the objects of the media bucket that hold media, by few queries.

"The first object whose key contains ``<medialib>/<media_id>``" cannot be asked of S3, which finds keys by their
beginning only. So every key is indexed once per folder in it: ``a/MYLIB/1f2e.png`` under ``MYLIB`` as ``1f2e.png``,
and under ``a`` as ``MYLIB/1f2e.png``. What precedes the folder makes the sort key unique.

Changes are told late, again and in any order, to several functions at a time. So an item keeps the sequencer of the
change that made it what it is, and gives way to none before that one. An object that went leaves its items behind, as
marks without a key, for longer than a change can be late.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sluice.aws.runtime import Item, is_met, to_dynamodb
from sluice.event_files.media import Medium

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MARKED_SECONDS = 60 * 86_400  # a message waits 14 days in its queue, and after a redrive as long again
_SKEW_SECONDS = 15 * 60  # of clocks; AWS refuses requests beyond it
_CANDIDATES = 100  # objects compared per look-up, if any is there; what more begin with is no id, and any will do
_FEW, _MOST = 20, 1_600  # items of the index that one query returns
_AT_A_TIME = 16  # queries
_IN_A_ROW = 8  # look-ups that are not worth a query of their own at the same time
_LONGEST = 1024  # bytes of a sort key
_LAST = "\U0010ffff"  # no character comes after it
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
        self._threads = ThreadPoolExecutor(_AT_A_TIME)

    def find(self, media: Collection[Medium]) -> dict[Medium, str]:
        """Return the ``s3://`` URIs of the first objects whose keys contain ``<medialib>/<media_id>``, where any does.

        Neighbours in the index are found by the same query, others by several at a time.
        """
        ids: dict[str, list[str]] = {}
        for library, media_id in sorted(media):
            ids.setdefault(library, []).append(media_id)
        runs = [(library, run) for library, sorted_ids in ids.items() for run in _runs(sorted_ids)]
        found = self._threads.map(lambda run: self._sweep(*run), runs) if len(runs) > 1 else [self._sweep(*runs[0])]
        return {medium: f"s3://{self._bucket}/{key}" for part in found for medium, key in part.items()}

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

    def _sweep(self, library: str, ids: Sequence[str]) -> dict[Medium, str]:
        """Return the keys of the media with these ids, which are in order: go through the index from one to the next.

        What lies between two ids is read along as long as that saves queries.
        """
        found: dict[Medium, str] = {}
        last = max(map(_end_of, ids))  # an id may begin another one, and reach farther
        at, size, after = 0, _FEW if len(ids) > 1 else _CANDIDATES, None
        while at < len(ids):
            names, keys, after = self._page(library, ids[at], last, size, after)
            begun, is_full = at, size >= _CANDIDATES
            while at < len(ids):
                media_id = ids[at]
                is_whole = after is None or not (after < media_id or after.startswith(media_id))
                if not is_whole and not (is_full and at == begun):
                    break  # it is looked for by a query that begins with it
                first = _first(names, keys, f"{library}/{media_id}", media_id)
                if first is None and not is_whole:
                    break  # there are only marks so far: go on behind them
                if first is not None:
                    found[library, media_id] = first
                at += 1
            if at > begun or not is_full:
                after = None
            size = min(2 * size, _MOST) if at - begun > _IN_A_ROW else _FEW if at > begun else _CANDIDATES
        return found

    def _page(
        self, library: str, first: str, last: str, size: int, after: str | None
    ) -> tuple[list[str], list[str], str | None]:
        """Return names and keys of objects, in order, from the name `first` to the name `last`.

        The third is the name that the page ends with, None if there are no more.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :folder AND sk BETWEEN :first AND :last",
            "FilterExpression": "attribute_exists(#key)",
            "ProjectionExpression": "sk, #key",
            "ExpressionAttributeNames": {"#key": "key"},
            "ExpressionAttributeValues": to_dynamodb({":folder": library, ":first": first, ":last": last}),
            "Limit": size,
        }
        if after is not None:
            request["ExclusiveStartKey"] = to_dynamodb({"pk": library, "sk": after})
        page = self._client.query(**request)
        items, end = page["Items"], page.get("LastEvaluatedKey")
        ends_with = end["sk"]["S"] if end else None
        return [item["sk"]["S"] for item in items], [item["key"]["S"] for item in items], ends_with

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


def _runs(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield neighbouring ids, about as many runs as there may be queries at a time."""
    length = max(_IN_A_ROW, -(-len(ids) // _AT_A_TIME))
    for start in range(0, len(ids), length):
        yield ids[start : start + length]


def _end_of(name: str) -> str:
    """Return what is behind everything that begins with a name."""
    return name + _LAST * ((_LONGEST - len(name.encode())) // len(_LAST.encode()))


def _first(names: Sequence[str], keys: Sequence[str], wanted: str, begin: str) -> str | None:
    """Return the first of those keys that contain `wanted`, and whose names, which are in order, begin with `begin`."""
    start = stop = bisect_left(names, begin)
    while stop < len(names) and stop - start < _CANDIDATES and names[stop].startswith(begin):
        stop += 1
    return min((key for key in keys[start:stop] if wanted in key), default=None)
