"""Reads of the ledger that the command line needs and functions do not."""

from cli.platform.session import Deployment
from sluice.aws.runtime import Item, from_dynamodb, to_dynamodb
from sluice.event_files.ledger.ledger_dynamodb import source_key
from sluice.event_files.ledger.model import CONVERTED, PENDING, SourceObject, chunk_key
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger


def runs_of(deployment: Deployment) -> DynamoRunLedger:
    """Return a stage's ledger of runs and chunks."""
    return DynamoRunLedger(deployment.dynamodb, deployment.output("LedgerTable"))


def versions_of(deployment: Deployment, bucket: str, key: str) -> list[Item]:
    """Return the items of a source object, one per ETag, the one recorded last first."""
    found = runs_of(deployment).items_under(source_key(SourceObject(bucket, key, ""))["pk"])
    by_etag = {etag_of(item): item for item in sorted(found, key=lambda item: "etag" in item)}
    return sorted(by_etag.values(), key=lambda item: str(item["recorded_at"]), reverse=True)


def etag_of(item: Item) -> str:
    """Return the ETag of a source object from its item, which may have the MD5 of its bytes as key."""
    return str(item.get("etag", item["sk"]))


def find_chunk(deployment: Deployment, chunk_id: str) -> Item | None:
    """Return a chunk; None when it was never committed, or converted so long ago that its record has expired.

    Chunks only move from pending to converted: looked up in this order, none is missed.
    """
    for state in (PENDING, CONVERTED):
        found = deployment.dynamodb.get_item(
            TableName=deployment.output("LedgerTable"), Key=to_dynamodb(chunk_key(state, chunk_id)), ConsistentRead=True
        )
        if "Item" in found:
            return from_dynamodb(found["Item"])
    return None
