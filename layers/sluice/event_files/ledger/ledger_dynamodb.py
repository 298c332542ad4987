"""The ledger: a DynamoDB table that says what became of every source object and which chunks wait."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sluice.aws.clients import is_met
from sluice.event_files.convert.model import OpenRun
from sluice.event_files.ledger.ledger_items import (
    CONVERTED,
    PENDING,
    RUN_KEY,
    Item,
    chunk_item,
    chunk_key,
    chunk_record,
    from_dynamodb,
    is_final,
    open_run,
    run_item,
    source_item,
    source_key,
    to_dynamodb,
)
from sluice.event_files.ledger.model import ChunkRecord, SourceObject, SourceRecord, Status
from sluice.event_files.validate.ports import AlreadyRecordedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_GET_LIMIT = 100  # keys per BatchGetItem
_MOVE_LIMIT = 50  # chunks moved per transaction, two items each
_CONVERTED_DAYS = 120  # longer than dirty records are kept, so that a chunk's objects never outlive its record

_NOT_FINAL = "attribute_not_exists(pk) OR #status IN (:gone, :unreadable)"
_STATUS_NAME = {"#status": "status"}
_STATUS_VALUES = to_dynamodb({":gone": Status.GONE.value, ":unreadable": Status.UNREADABLE.value})


class DynamoLedger:
    """Reads and writes the ledger table; `clock` gives the time in UTC."""

    def __init__(
        self, client: "DynamoDBClient", table: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Bind client, table and clock."""
        self._client = client
        self._table = table
        self._clock = clock

    # Source objects and their chunks

    def items(self, sources: Iterable[SourceObject]) -> Iterator[Item]:
        """Yield the items of those source objects that have one; their order is not kept."""
        yield from self._batch_get([source_key(source) for source in sources])

    def finished(self, sources: Iterable[SourceObject]) -> frozenset[SourceObject]:
        """Return those of `sources` that have a final record; one written this very moment may be missed.

        That costs half of a consistent read. What is missed, `commit` refuses.
        """
        by_key = {tuple(source_key(source).values()): source for source in sources}
        items = self._batch_get([source_key(source) for source in by_key.values()], consistent=False)
        return frozenset(by_key[item["pk"], item["sk"]] for item in items if is_final(item))

    def commit(self, chunks: Sequence[ChunkRecord], records: Sequence[SourceRecord]) -> None:
        """Record all or nothing.

        Raises:
            AlreadyRecordedError: Some source objects have a final record already; nothing was committed.
        """
        now = self._clock()
        puts: list[Any] = [{"Put": self._put_source(record, now)} for record in records]
        puts += [{"Put": self._put(chunk_item(chunk, now), "attribute_not_exists(pk)")} for chunk in chunks]
        try:
            self._client.transact_write_items(TransactItems=puts)
        except self._client.exceptions.TransactionCanceledException as error:
            recorded = _failed_conditions(error, records)
            if recorded:
                raise AlreadyRecordedError(recorded) from error
            raise

    def note(self, record: SourceRecord) -> None:
        """Record what is not final, unless a final record is there."""
        put = self._put_source(record, self._clock())
        is_met(lambda: self._client.put_item(**put))

    def known_chunks(self, chunk_ids: Iterable[str]) -> frozenset[str]:
        """Return those chunks that were committed, converted or not.

        A chunk only ever moves from pending to converted: one that is asked for in this order cannot slip through.
        """
        wanted, known = set(chunk_ids), set[str]()
        for pk in (PENDING, CONVERTED):
            keys = [chunk_key(pk, chunk_id) for chunk_id in wanted - known]
            known.update(item["sk"] for item in self._batch_get(keys))
        return frozenset(known)

    # Runs

    def open_run(self) -> OpenRun | None:
        """Return the run that is going on."""
        response = self._client.get_item(TableName=self._table, Key=to_dynamodb(RUN_KEY), ConsistentRead=True)
        return open_run(from_dynamodb(response["Item"])) if "Item" in response else None

    def begin_run(self, run: OpenRun) -> bool:
        """Open a run unless one is open; tell whether it was."""
        return self._try_put(run, "attribute_not_exists(pk)", {})

    def take_over(self, run: OpenRun, execution: str) -> bool:
        """Give the open run to another execution, if it is still the one that `run` says; tell whether it was."""
        taken = OpenRun(run.run_id, execution, run.plan_key)
        values = {":run": run.run_id, ":execution": run.execution}
        plan = "attribute_not_exists(plan_key)"
        if run.plan_key:
            plan, values[":plan"] = "plan_key = :plan", run.plan_key
        return self._try_put(taken, f"run_id = :run AND execution = :execution AND {plan}", values)

    def publish_plan(self, run: OpenRun, plan_key: str) -> bool:
        """Say which plan holds, if the run is still `run` and has none yet; tell whether it was said."""
        condition = "run_id = :run AND execution = :execution AND attribute_not_exists(plan_key)"
        values = {":run": run.run_id, ":execution": run.execution}
        return self._try_put(OpenRun(run.run_id, run.execution, plan_key), condition, values)

    def drop_run(self, run: OpenRun) -> bool:
        """End a run that needs no plan, if it is still `run` and has none yet; tell whether it was."""
        condition = "run_id = :run AND execution = :execution AND attribute_not_exists(plan_key)"
        return self._try_delete(condition, {":run": run.run_id, ":execution": run.execution})

    def close_run(self, run_id: str) -> None:
        """End the run, if it is the open one."""
        self._try_delete("run_id = :run", {":run": run_id})

    def pending_chunks(self) -> list[ChunkRecord]:
        """Return every committed chunk that is not converted, oldest first."""
        return [chunk_record(item) for item in self._pending_items()]

    def mark_converted(self, chunk_ids: Iterable[str], run_id: str) -> None:
        """Move chunks from pending to converted; those that are converted already stay so."""
        wanted = set(chunk_ids)
        expires_at = int(self._clock().timestamp()) + _CONVERTED_DAYS * 86_400
        items = [
            {**item, "pk": CONVERTED, "run_id": run_id, "expires_at": expires_at}
            for item in self._pending_items()
            if item["sk"] in wanted
        ]
        for start in range(0, len(items), _MOVE_LIMIT):
            moves: list[Any] = []
            for item in items[start : start + _MOVE_LIMIT]:
                key = to_dynamodb(chunk_key(PENDING, item["sk"]))
                moves += [{"Put": self._put(item)}, {"Delete": {"TableName": self._table, "Key": key}}]
            self._client.transact_write_items(TransactItems=moves)

    # DynamoDB

    def _pending_items(self) -> list[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_dynamodb({":pk": PENDING}),
            ConsistentRead=True,
        )
        return [from_dynamodb(item) for page in pages for item in page["Items"]]

    def _batch_get(self, keys: Sequence[Item], *, consistent: bool = True) -> Iterator[Item]:
        for start in range(0, len(keys), _GET_LIMIT):
            part = [to_dynamodb(key) for key in keys[start : start + _GET_LIMIT]]
            wanted: Any = {self._table: {"Keys": part, "ConsistentRead": consistent}}
            while wanted:
                response = self._client.batch_get_item(RequestItems=wanted)
                yield from map(from_dynamodb, response["Responses"].get(self._table, ()))
                wanted = response.get("UnprocessedKeys")

    def _try_put(self, run: OpenRun, condition: str, values: dict[str, str]) -> bool:
        put = self._put(run_item(run), condition)
        if values:
            put["ExpressionAttributeValues"] = to_dynamodb(values)
        return is_met(lambda: self._client.put_item(**put))

    def _try_delete(self, condition: str, values: dict[str, str]) -> bool:
        return is_met(
            lambda: self._client.delete_item(
                TableName=self._table,
                Key=to_dynamodb(RUN_KEY),
                ConditionExpression=condition,
                ExpressionAttributeValues=to_dynamodb(values),
            )
        )

    def _put_source(self, record: SourceRecord, now: datetime) -> dict[str, Any]:
        put = self._put(source_item(record, now), _NOT_FINAL)
        return {**put, "ExpressionAttributeNames": _STATUS_NAME, "ExpressionAttributeValues": _STATUS_VALUES}

    def _put(self, item: Item, condition: str | None = None) -> dict[str, Any]:
        put = {"TableName": self._table, "Item": to_dynamodb(item)}
        return {**put, "ConditionExpression": condition} if condition else put


def _failed_conditions(error: ClientError, records: Sequence[SourceRecord]) -> frozenset[SourceObject]:
    """Return the source objects whose condition failed; reasons come in the order of the transaction's items."""
    response: dict[str, Any] = dict(error.response)
    reasons = response.get("CancellationReasons", ())
    pairs = zip(records, reasons, strict=False)
    return frozenset(record.source for record, reason in pairs if reason.get("Code") == "ConditionalCheckFailed")
