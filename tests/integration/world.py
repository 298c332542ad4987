"""A small world of real adapters on moto's S3 and DynamoDB: buckets, ledger, media index, use cases."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from moto import mock_aws

from sluice.adapters.lake import S3Lake
from sluice.adapters.ledger import DynamoLedger
from sluice.adapters.media import DynamoMediaIndex
from sluice.adapters.source_store import S3SourceStore
from sluice.contracts.load import load_registry
from sluice.conversion.batches import Converter
from sluice.conversion.committing import Summary, commit, read_plan
from sluice.conversion.planning import Decision, Planning
from sluice.conversion.profiling import publish_profile
from sluice.events.model import SourceObject
from sluice.events.validation import Limits, Outcome, Validation
from sluice.layout import table_prefix, timestamped_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

SOURCE, LAKE, MEDIA = "source-bucket", "lake-bucket", "media-bucket"
LEDGER, MEDIA_INDEX = "ledger", "media-index"
REGISTRY = load_registry()
START = datetime(2026, 1, 31, 12, tzinfo=UTC)

Wrap = Callable[[Any], Any]


class DeadExecutions:
    """No execution but one's own is ever running."""

    def is_running(self, _execution: str) -> bool:
        return False


@dataclass
class World:
    """Everything a test drives. `wrap` stands between the use cases and every adapter they are given."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    limits: Limits
    batch_bytes: int = 1 << 20
    wrap: Wrap = lambda adapter: adapter

    def __post_init__(self) -> None:
        ticks = itertools.count()
        self._now = lambda: START + timedelta(seconds=next(ticks))
        self.lake = S3Lake(self.s3, LAKE)
        self.ledger = DynamoLedger(self.dynamodb, LEDGER, self._now)
        self.media = DynamoMediaIndex(self.dynamodb, MEDIA_INDEX, MEDIA)

    def put(self, key: str, body: bytes) -> SourceObject:
        etag = self.s3.put_object(Bucket=SOURCE, Key=key, Body=body)["ETag"]
        return SourceObject(SOURCE, key, etag.strip('"'))

    def validate(self, *sources: SourceObject, seconds: Callable[[], float] = lambda: 600.0) -> Outcome:
        ids = itertools.count()
        base = self._now()
        validation = Validation(
            registry=REGISTRY,
            sources=self.wrap(S3SourceStore(self.s3)),
            chunks=self.wrap(self.lake),
            ledger=self.wrap(self.ledger),
            media=self.wrap(self.media),
            limits=self.limits,
            new_chunk_id=lambda: timestamped_id(base, f"{next(ids):08x}"),
        )
        return validation.run(sources, seconds)

    def convert(self, execution: str = "execution-1") -> Summary | None:
        """Run the machine's states one after the other, as one execution; None when there was nothing to do."""
        files, ledger = self.wrap(self.lake), self.wrap(self.ledger)
        now = self._now()
        planned = Planning(ledger, files, DeadExecutions(), self.batch_bytes).plan(
            execution, timestamped_id(now, execution), now, f"{now:%S}"
        )
        if planned.decision is not Decision.PLANNED or planned.plan_key is None:
            return None
        plan = read_plan(files, planned.plan_key)
        for batch in plan.batches:
            Converter(REGISTRY, files).convert(batch)
        summary = commit(plan, files, ledger)
        publish_profile(plan, files, ledger)
        return summary

    def keys(self, prefix: str = "") -> list[str]:
        return [key for key, _ in self.lake.list(prefix)]

    def table(self, name: str) -> pa.Table:
        """All rows of a table, with their partition columns, ordered by where they came from."""
        parts = [self._part(key) for key in self.keys(table_prefix(name))]
        if not parts:
            return pa.table({})
        rows = pa.concat_tables(parts)
        order = [("_source_key", "ascending"), ("_source_offset", "ascending")]
        return rows.sort_by(order) if "_source_key" in rows.column_names else rows

    def _part(self, key: str) -> pa.Table:
        table = pq.read_table(pa.BufferReader(self.lake.read(key)), partitioning=None)
        for part in key.split("/"):
            if "=" in part:
                name, value = part.split("=")
                table = table.append_column(name, pa.repeat(int(value), table.num_rows))
        return table


@contextmanager
def moto_world(**settings: Any) -> Iterator[World]:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        for bucket in (SOURCE, LAKE, MEDIA):
            s3.create_bucket(Bucket=bucket)
        for table in (LEDGER, MEDIA_INDEX):
            _create_table(dynamodb, table)
        yield World(s3, dynamodb, settings.pop("limits", Limits(1 << 20, 16 << 20)), **settings)


def _create_table(client: "DynamoDBClient", name: str) -> None:
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
