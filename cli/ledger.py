"""Reads the ledger: what became of source objects, which chunks wait, which run is open."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import CliError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]

# BatchGetItem takes no more keys in one request.
BATCH = 100
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class SourceKey:
    """A source object, as the ledger knows it; `etag` without quotes."""

    bucket: str
    key: str
    etag: str


@dataclass(frozen=True, slots=True)
class LedgerReader:
    """The ledger table of a stage."""

    client: DynamoDBClient
    table: str

    def records(self, sources: Sequence[SourceKey]) -> dict[SourceKey, Item]:
        """The records of those of `sources` that have one.

        Raises:
            CliError: DynamoDB keeps refusing part of the request.
        """
        found: dict[SourceKey, Item] = {}
        for start in range(0, len(sources), BATCH):
            found |= self._batch(sources[start : start + BATCH])
        return found

    def _batch(self, sources: Sequence[SourceKey]) -> dict[SourceKey, Item]:
        by_id = {(f"source#{s.bucket}/{s.key}", s.etag): s for s in sources}
        request: Any = {self.table: {"Keys": [_key(*key) for key in by_id], "ConsistentRead": True}}
        found: dict[SourceKey, Item] = {}
        for attempt in range(_ATTEMPTS):
            answer = self.client.batch_get_item(RequestItems=request)
            items = [plain_item(item) for item in answer["Responses"].get(self.table, [])]
            found |= {by_id[item["pk"], item["sk"]]: item for item in items}
            request = answer.get("UnprocessedKeys")
            if not request:
                return found
            time.sleep(0.1 * 2**attempt)
        raise CliError("The ledger table is too busy to be read.", "Try again in a minute.")

    def chunks(self, state: str, newest: int | None = None) -> Iterator[Item]:
        """The chunks in a state (``pending`` or ``converted``), oldest first; or the newest ones, newest first."""
        query: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": f"chunk#{state}"}},
            "ScanIndexForward": newest is None,
            "PaginationConfig": {"MaxItems": newest} if newest else {},
        }
        for page in self.client.get_paginator("query").paginate(**query):
            yield from (plain_item(item) for item in page["Items"])

    def open_run(self) -> Item | None:
        """The run that is at work or was left unfinished."""
        item = self.client.get_item(TableName=self.table, Key=_key("run", "open"), ConsistentRead=True).get("Item")
        return plain_item(item) if item else None


def _key(pk: str, sk: str) -> Any:  # noqa: ANN401 - DynamoDB's notation
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def plain_item(item: Mapping[str, Any]) -> Item:
    """An item without DynamoDB's type letters; numbers become int where they are whole."""
    return {name: plain(value) for name, value in item.items()}


def plain(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any DynamoDB value
    """A value without its type letter."""
    ((kind, content),) = value.items()
    if kind == "M":
        return plain_item(content)
    if kind == "L":
        return [plain(member) for member in content]
    if kind == "N":
        return float(content) if "." in content or "E" in content.upper() else int(content)
    return None if kind == "NULL" else content
