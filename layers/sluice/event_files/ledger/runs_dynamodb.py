"""The ledger as conversion sees it: pending chunks, the one open run, and the newest hour of each table's rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sluice.aws.runtime import Item, from_dynamodb, is_met, to_dynamodb, transact
from sluice.event_files.ledger.model import (
    CONVERTED,
    CONVERTED_DAYS,
    DIRTY_KEPT,
    NEWEST,
    PENDING,
    RUN,
    ChunkRecord,
    Counts,
    LeftOut,
    OpenRun,
    Segment,
    chunk_key,
)
from sluice.lake.lease_dynamodb import OWNED, DynamoLeases

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RUN_KEY = {"pk": RUN, "sk": "open"}
_MOVE_LIMIT = 50  # chunks moved per transaction, two items each
_UNPLANNED = f"{OWNED} AND run_id = :run AND attribute_not_exists(plan_key)"


class DynamoRunLedger:
    """Reads and writes what conversion knows of the ledger table; `clock` gives the time in UTC."""

    def __init__(
        self, client: "DynamoDBClient", table: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._leases = DynamoLeases(client, table)

    def open_run(self) -> OpenRun | None:
        """Return the run that is going on."""
        item = self._leases.get(RUN_KEY)
        return _open_run(item) if item else None

    def claim_run(self, wanted: OpenRun, ended: str = "") -> OpenRun:
        """Open a run unless one is open, or take the open one over from the execution that has `ended`.

        Returns:
            The run that is open then: the wanted one, or that of the execution that has it.
        """
        change, values = ", run_id = if_not_exists(run_id, :run)", {":run": wanted.run_id}
        return _open_run(self._leases.claim(RUN_KEY, wanted.execution, ended, change=change, values=values))

    def publish_plan(self, run: OpenRun, plan_key: str) -> bool:
        """Set the plan of the open run, if it is still `run` and has none yet; return whether it was set."""
        values = {":plan": plan_key, ":run": run.run_id}
        return self._leases.update(RUN_KEY, run.execution, "SET plan_key = :plan", values, _UNPLANNED)

    def replace_plan(self, run_id: str, old: str, new: str) -> bool:
        """Set another plan of the open run, if it is still this run with its old plan, or has the new one already."""
        condition = "run_id = :run AND plan_key IN (:old, :plan)"
        values = to_dynamodb({":run": run_id, ":old": old, ":plan": new})
        return is_met(lambda: self._update(RUN_KEY, "SET plan_key = :plan", values, condition))

    def drop_run(self, run: OpenRun) -> bool:
        """End a run that needs no plan, if it is still `run` and has none yet; return whether it was ended."""
        return self._delete_run(_UNPLANNED, {":run": run.run_id, ":me": run.execution})

    def close_run(self, run_id: str) -> None:
        """End the run, if it is the open one."""
        self._delete_run("run_id = :run", {":run": run_id})

    def pending_chunks(self) -> list[ChunkRecord]:
        """Return every committed chunk that is not converted, oldest first."""
        return [chunk_record(item) for item in self.items_under(PENDING)]

    def mark_converted(self, chunk_ids: Iterable[str], run_id: str) -> None:
        """Move chunks from pending to converted; those that are converted already stay so.

        They are marked as having their dirty records in a table: earlier versions had no such table.
        """
        wanted = set(chunk_ids)
        expires_at = int(self._clock().timestamp()) + CONVERTED_DAYS * 86_400
        items = [
            {**_without_note(item), "pk": CONVERTED, "run_id": run_id, "expires_at": expires_at, DIRTY_KEPT: True}
            for item in self.items_under(PENDING)
            if item["sk"] in wanted
        ]
        for start in range(0, len(items), _MOVE_LIMIT):
            moves: list[Any] = []
            for item in items[start : start + _MOVE_LIMIT]:
                key = to_dynamodb(chunk_key(PENDING, item["sk"]))
                moves += [
                    {"Put": {"TableName": self._table, "Item": to_dynamodb(item)}},
                    {"Delete": {"TableName": self._table, "Key": key}},
                ]
            transact(self._client, moves)

    def note_left_out(self, left_out: Iterable[LeftOut]) -> None:
        """Note at pending chunks why a run left them out, and in how many runs their batches failed."""
        for each in left_out:
            key, values = chunk_key(PENDING, each.chunk_id), {":reason": each.reason, ":failures": each.failures}
            change = "SET left_out = :reason, failures = :failures"
            is_met(partial(self._update, key, change, to_dynamodb(values), "attribute_exists(pk)"))

    def oldest_pending(self) -> datetime | None:
        """Return when the oldest chunk that waits for its conversion was committed; None when none waits."""
        oldest = next(self.items_under(PENDING, page_size=1), None)  # chunk ids grow with time
        return datetime.fromisoformat(oldest["created_at"]).astimezone(UTC) if oldest else None

    def note_newest_hours(self, hours: Mapping[str, str]) -> None:
        """Note the newest hour (``YYYY-MM-DDTHH``) of tables; an older one than is known changes nothing."""
        for table, hour in hours.items():
            put: dict[str, Any] = {
                "TableName": self._table,
                "Item": to_dynamodb({"pk": NEWEST, "sk": table, "hour": hour}),
                "ConditionExpression": "attribute_not_exists(pk) OR #hour < :hour",
                "ExpressionAttributeNames": {"#hour": "hour"},
                "ExpressionAttributeValues": to_dynamodb({":hour": hour}),
            }
            is_met(lambda put=put: self._client.put_item(**put))  # type: ignore[misc]

    def newest_hours(self) -> dict[str, datetime]:
        """Return the begin of the newest hour with rows (UTC) of each table that ever had one."""
        return {item["sk"]: datetime.fromisoformat(f"{item['hour']}:00+00:00") for item in self.items_under(NEWEST)}

    def items_under(self, pk: str, page_size: int | None = None, *, newest_first: bool = False) -> Iterator[Item]:
        """Yield the items of a partition, in the order of their sort keys."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_dynamodb({":pk": pk}),
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": page_size} if page_size else {},
        )
        return (from_dynamodb(item) for page in pages for item in page["Items"])

    def _update(self, key: Item, change: str, values: Item, condition: str) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=to_dynamodb(key),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )

    def _delete_run(self, condition: str, values: dict[str, str]) -> bool:
        return is_met(
            lambda: self._client.delete_item(
                TableName=self._table,
                Key=to_dynamodb(RUN_KEY),
                ConditionExpression=condition,
                ExpressionAttributeValues=to_dynamodb(values),
            )
        )


def _without_note(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in {"left_out", "failures"}}


def chunk_record(item: Mapping[str, Any]) -> ChunkRecord:
    """Return the chunk of an item."""
    names = ("events", "unrelated", "unknown_members", "media_missing", "dirty_bytes", "dirty_files")
    counts = Counts(clean=Counter(item["clean"]), **{name: item[name] for name in names})
    for table, reasons in item["dirty"].items():
        counts.dirty.update({(table, reason): count for reason, count in reasons.items()})
    segments = tuple(Segment(*segment) for segment in item["segments"])
    kept = {name: item[name] for name in ("commit_id", "clean_etag", "failures") if item.get(name)}
    return ChunkRecord(item["sk"], segments, item["dirty_length"], item["files"], counts, item["bytes"], **kept)


def _open_run(item: Item) -> OpenRun:
    return OpenRun(item["run_id"], item["execution"], item.get("plan_key"))
