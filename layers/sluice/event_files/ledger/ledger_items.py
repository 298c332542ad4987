"""Records of the ledger as DynamoDB items, and back.

| pk | sk | item |
|---|---|---|
| ``source#<bucket>/<key>`` | ETag | a source object: what became of it |
| ``chunk#pending`` | chunk id | a committed chunk that waits for its conversion |
| ``chunk#converted`` | chunk id | a chunk that has been converted |
| ``run`` | ``open`` | the run that is going on |
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from sluice.event_files.convert.model import OpenRun, iso
from sluice.event_files.ledger.model import ChunkRecord, Counts, Segment, SourceObject, SourceRecord, Status

Item = dict[str, Any]

PENDING = "chunk#pending"
CONVERTED = "chunk#converted"
RUN_KEY = {"pk": "run", "sk": "open"}

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def to_dynamodb(item: Mapping[str, Any]) -> Item:
    """Return an item in DynamoDB's wire format, without its null members."""
    return {name: _serialize(value) for name, value in item.items() if value is not None}


def from_dynamodb(item: Mapping[str, Any]) -> Item:
    """Return an item as plain values, whole numbers as int."""
    plain: Item = _plain({name: _deserialize(value) for name, value in item.items()})
    return plain


def source_key(source: SourceObject) -> Item:
    """Return the key of a source object's record."""
    return {"pk": f"source#{source.bucket}/{source.key}", "sk": source.etag}


def chunk_key(pk: str, chunk_id: str) -> Item:
    """Return the key of a chunk's record, `PENDING` or `CONVERTED`."""
    return {"pk": pk, "sk": chunk_id}


def source_item(record: SourceRecord, now: datetime) -> Item:
    """Return the item of a source object's record."""
    counts = record.counts
    return {
        **source_key(record.source),
        "status": record.status.value,
        "bytes": record.size,
        "events": counts.events,
        "clean": dict(counts.clean),
        "dirty": dict(counts.dirty_by_reason()),
        "unrelated": counts.unrelated,
        "drift": counts.drift,
        "media_missing": counts.media_missing,
        "chunks": list(record.chunks),
        "message": record.message,
        "recorded_at": iso(now),
    }


def chunk_item(chunk: ChunkRecord, now: datetime) -> Item:
    """Return the item of a chunk; one without rows and dirty records has nothing to be converted."""
    counts = chunk.counts
    return {
        **chunk_key(PENDING if chunk.segments or chunk.dirty_bytes else CONVERTED, chunk.chunk_id),
        "segments": [[each.table, each.offset, each.length, each.rows] for each in chunk.segments],
        "dirty_bytes": chunk.dirty_bytes,
        "files": chunk.files,
        "events": counts.events,
        "clean": dict(counts.clean),
        "dirty": counts.dirty_by_table(),
        "unrelated": counts.unrelated,
        "drift": counts.drift,
        "media_missing": counts.media_missing,
        "bytes": chunk.source_bytes,
        "created_at": iso(now),
    }


def chunk_record(item: Mapping[str, Any]) -> ChunkRecord:
    """Return the chunk of an item; an older one says nothing of drift, media and bytes."""
    counts = Counts(
        events=item["events"],
        clean=Counter(item["clean"]),
        unrelated=item["unrelated"],
        drift=item.get("drift", 0),
        media_missing=item.get("media_missing", 0),
    )
    for table, reasons in item["dirty"].items():
        counts.dirty.update({(table, reason): count for reason, count in reasons.items()})
    segments = tuple(Segment(*segment) for segment in item["segments"])
    return ChunkRecord(item["sk"], segments, item["dirty_bytes"], item["files"], counts, item.get("bytes", 0))


def run_item(run: OpenRun) -> Item:
    """Return the item of the open run."""
    return {**RUN_KEY, "run_id": run.run_id, "execution": run.execution, "plan_key": run.plan_key}


def open_run(item: Mapping[str, Any]) -> OpenRun:
    """Return the open run of an item."""
    return OpenRun(item["run_id"], item["execution"], item.get("plan_key"))


def is_final(item: Mapping[str, Any]) -> bool:
    """Tell whether a source object's item is the last word on it."""
    return item["status"] in {Status.VALIDATED, Status.REFUSED}


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
