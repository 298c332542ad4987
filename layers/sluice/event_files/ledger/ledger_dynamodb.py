"""The ledger: a DynamoDB table of source objects and chunks, and of runs (`runs_dynamodb`).

| pk | sk | item |
|---|---|---|
| ``source#<bucket>/<key>`` | MD5 | a source object and its state, by the MD5 of its bytes |
| ``source#<bucket>/<key>`` | ETag | the same, so that it is known before it is read, where its ETag is no MD5 |
| ``chunk#pending`` | chunk id | a committed chunk that waits for its conversion |
| ``chunk#converted`` | chunk id | a chunk that has been converted |
| ``run`` | ``open`` | the run that is going on |
| ``newest`` | table | the begin of the newest hour it has rows of |
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sluice.aws.runtime import (
    CONDITION_FAILED,
    IN_CONFLICT,
    Item,
    attempts,
    cancellations,
    from_dynamodb,
    is_met,
    to_dynamodb,
    transact,
)
from sluice.event_files.ledger.model import (
    CONVERTED,
    PENDING,
    SOURCES,
    AlreadyRecordedError,
    ChunkRecord,
    Counts,
    InConflictError,
    SourceObject,
    SourceRecord,
    Status,
    chunk_key,
)
from sluice.lake.object_store import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_GET_LIMIT = 100  # keys per BatchGetItem

_NOT_FINAL = f"attribute_not_exists(pk) OR #status IN ({', '.join(f':{s}' for s in Status if not s.is_final)})"
_REFUSALS = {CONDITION_FAILED: AlreadyRecordedError, IN_CONFLICT: InConflictError}
_STATUS_NAME = {"#status": "status"}
_STATUS_VALUES = to_dynamodb({f":{status}": status.value for status in Status if not status.is_final})


class UnprocessedError(Exception):
    """DynamoDB gave a part of what was asked for, however often it was asked: its table is overloaded."""


class DynamoLedger:
    """Records source objects and chunks; `clock` gives the time in UTC."""

    def __init__(
        self, client: "DynamoDBClient", table: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def items(self, sources: Iterable[SourceObject], *, consistent: bool = True) -> dict[SourceObject, Item]:
        """Return the items of those source objects that have one."""
        by_key = {tuple(source_key(source).values()): source for source in sources}
        found = self._batch_get([source_key(source) for source in by_key.values()], consistent=consistent)
        return {by_key[item["pk"], item["sk"]]: item for item in found}

    def finished(self, sources: Iterable[SourceObject]) -> frozenset[SourceObject]:
        """Return those of `sources` that have a final record; see `statuses`."""
        return frozenset(source for source, status in self.statuses(sources).items() if status.is_final)

    def statuses(self, sources: Iterable[SourceObject]) -> dict[SourceObject, Status]:
        """Return the statuses of those objects that have a record; one written this very moment may be missed.

        That costs half of a consistent read. A record that is missed makes `commit` refuse the object.
        """
        found = self.items(sources, consistent=False)
        return {source: Status(item["status"]) for source, item in found.items()}

    def commit(self, chunks: Sequence[ChunkRecord], records: Sequence[SourceRecord]) -> None:
        """Record all or nothing.

        Raises:
            AlreadyRecordedError: Some source objects have a final record already; nothing was committed.
            InConflictError: Others kept writing records of some source objects; nothing was committed.
        """
        now = self._clock()
        puts: list[Any] = [{"Put": self._put_source(record, record.digest, now)} for record in records]
        puts += [{"Put": self._put(chunk_item(chunk, now), "attribute_not_exists(pk)")} for chunk in chunks]
        try:
            transact(self._client, puts)
        except self._client.exceptions.TransactionCanceledException as error:
            why = {records[place].source: code for place, code in cancellations(error).items() if place < len(records)}
            for code, refusal in _REFUSALS.items():
                if refused := frozenset(source for source in why if why[source] == code):
                    raise refusal(refused) from error
            raise

    def note(self, record: SourceRecord) -> None:
        """Record an object under its ETag, unless a final record is there."""
        put = self._put_source(record, None, self._clock())
        is_met(lambda: self._client.put_item(**put))

    def known_chunks(self, chunk_ids: Iterable[str]) -> frozenset[str]:
        """Return those chunks that were committed, converted or not.

        Chunks only move from pending to converted: looked up in this order, none is missed.
        """
        wanted, known = set(chunk_ids), set[str]()
        for pk in (PENDING, CONVERTED):
            keys = [chunk_key(pk, chunk_id) for chunk_id in wanted - known]
            known.update(item["sk"] for item in self._batch_get(keys))
        return frozenset(known)

    def _batch_get(self, keys: Sequence[Item], *, consistent: bool = True) -> Iterator[Item]:
        for start in range(0, len(keys), _GET_LIMIT):
            part = [to_dynamodb(key) for key in keys[start : start + _GET_LIMIT]]
            wanted: Any = {self._table: {"Keys": part, "ConsistentRead": consistent}}
            for _ in attempts():
                response = self._client.batch_get_item(RequestItems=wanted)
                yield from map(from_dynamodb, response["Responses"].get(self._table, ()))
                wanted = response.get("UnprocessedKeys")
                if not wanted:
                    break
            else:
                raise UnprocessedError(f"DynamoDB left keys of the table {self._table} unread; try again in a minute")

    def _put_source(self, record: SourceRecord, digest: str | None, now: datetime) -> dict[str, Any]:
        put = self._put(_source_item(record, digest or record.source.etag, now), _NOT_FINAL)
        return {**put, "ExpressionAttributeNames": _STATUS_NAME, "ExpressionAttributeValues": _STATUS_VALUES}

    def _put(self, item: Item, condition: str) -> dict[str, Any]:
        return {"TableName": self._table, "Item": to_dynamodb(item), "ConditionExpression": condition}


def source_key(source: SourceObject) -> Item:
    """Return the key of a source object's record."""
    return {"pk": f"{SOURCES}{source.bucket}/{source.key}", "sk": source.etag}


def chunk_item(chunk: ChunkRecord, now: datetime) -> Item:
    """Return the item of a chunk; one without rows and dirty records has nothing to be converted."""
    return {
        **chunk_key(PENDING if chunk.segments or chunk.dirty_length else CONVERTED, chunk.chunk_id),
        "segments": [list(astuple(each)) for each in chunk.segments],
        "dirty_length": chunk.dirty_length,
        "files": chunk.files,
        **_counts_item(chunk.counts),
        "dirty": chunk.counts.dirty_by_table(),
        "bytes": chunk.source_bytes,
        "commit_id": chunk.commit_id or None,
        "clean_etag": chunk.clean_etag or None,
        "created_at": iso(now),
    }


def _source_item(record: SourceRecord, identity: str, now: datetime) -> Item:
    etag = record.source.etag
    return {
        **source_key(record.source),
        **({"sk": identity, "etag": etag} if identity != etag else {}),
        "version": record.source.version or None,
        "status": record.status.value,
        "bytes": record.size,
        **_counts_item(record.counts),
        "dirty": dict(record.counts.dirty_by_reason()),
        "chunks": list(record.chunks),
        "message": record.message,
        "recorded_at": iso(now),
    }


def _counts_item(counts: Counts) -> Item:
    return {
        "events": counts.events,
        "clean": dict(counts.clean),
        "unrelated": counts.unrelated,
        "unknown_members": counts.unknown_members,
        "media_missing": counts.media_missing,
        "dirty_bytes": counts.dirty_bytes,
        "dirty_files": counts.dirty_files,
    }
