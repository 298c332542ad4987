"""Reads of the ledger that only operators need; what the functions read too is in `sluice.adapters.ledger`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sluice.adapters.ledger_items import CONVERTED, PENDING, Item, from_dynamodb, to_dynamodb

if TYPE_CHECKING:
    from cli.session import Deployment


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
