"""Reads of the ledger that only operators need; what the functions read too is in `sluice.event_files.ledger.ledger_dynamodb`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sluice.aws.dynamodb import Item, from_dynamodb, to_dynamodb
from sluice.event_files.ledger.ledger_dynamodb import CONVERTED, PENDING, chunk_key, source_key
from sluice.event_files.ledger.model import SourceObject

if TYPE_CHECKING:
    from cli.platform.session import Deployment


def pending_chunks(deployment: Deployment) -> Iterator[Item]:
    """The chunks that wait for conversion, oldest first."""
    return _chunks(deployment, PENDING, oldest_first=True)


def converted_chunks(deployment: Deployment) -> Iterator[Item]:
    """The converted chunks, newest first; take as many as needed."""
    return _chunks(deployment, CONVERTED, oldest_first=False)


def _chunks(deployment: Deployment, state: str, *, oldest_first: bool) -> Iterator[Item]:
    pages = deployment.dynamodb.get_paginator("query").paginate(
        TableName=deployment.output("LedgerTable"),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_dynamodb({":pk": state}),
        ScanIndexForward=oldest_first,
    )
    for page in pages:
        yield from map(from_dynamodb, page["Items"])


def versions_of(deployment: Deployment, bucket: str, key: str) -> list[Item]:
    """What is recorded of a source object, one item per ETag, the one recorded last first."""
    pages = deployment.dynamodb.get_paginator("query").paginate(
        TableName=deployment.output("LedgerTable"),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_dynamodb({":pk": source_key(SourceObject(bucket, key, ""))["pk"]}),
    )
    found = [from_dynamodb(item) for page in pages for item in page["Items"]]
    return sorted(found, key=lambda item: str(item["recorded_at"]), reverse=True)


def chunk(deployment: Deployment, chunk_id: str) -> Item | None:
    """A chunk; None when it was never committed, or was converted so long ago that its record has expired.

    It only ever moves from pending to converted: asked for in this order it cannot slip through.
    """
    for state in (PENDING, CONVERTED):
        found = deployment.dynamodb.get_item(
            TableName=deployment.output("LedgerTable"), Key=to_dynamodb(chunk_key(state, chunk_id)), ConsistentRead=True
        )
        if "Item" in found:
            return from_dynamodb(found["Item"])
    return None
