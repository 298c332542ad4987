"""SQS → validated: every announced object's events become clean, dirty or unrelated lines of a committed chunk."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.adapters.announcements import UnknownAnnouncementError, announced_objects
from sluice.adapters.clients import dynamodb, s3
from sluice.adapters.lake import S3Lake
from sluice.adapters.ledger import DynamoLedger
from sluice.adapters.media import DynamoMediaIndex
from sluice.adapters.settings import read_settings
from sluice.adapters.source_store import S3SourceStore
from sluice.contracts.load import load_registry
from sluice.events.model import SourceObject
from sluice.events.validation import Limits, Outcome, Validation
from sluice.layout import timestamped_id


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    lake_bucket: str
    ledger_table: str
    media_bucket: str
    media_table: str
    chunk_bytes: int
    max_file_bytes: int


logger = Logger()
metrics = Metrics()
settings = read_settings(Settings)
validation = Validation(
    registry=load_registry(),
    sources=S3SourceStore(s3()),
    chunks=S3Lake(s3(), settings.lake_bucket),
    ledger=DynamoLedger(dynamodb(), settings.ledger_table),
    media=DynamoMediaIndex(dynamodb(), settings.media_table, settings.media_bucket),
    limits=Limits(settings.chunk_bytes, settings.max_file_bytes),
    new_chunk_id=lambda: timestamped_id(datetime.now(UTC), secrets.token_hex(4)),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Validate the objects that a batch of messages announces; report the messages that must come again."""
    announced = {record["messageId"]: _announced(record) for record in event["Records"]}
    sources = [source for objects in announced.values() for source in objects or ()]
    outcome = validation.run(sources, lambda: context.get_remaining_time_in_millis() / 1000)
    _report(outcome)
    failed = [message for message, objects in announced.items() if objects is None or outcome.failed.keys() & objects]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _announced(record: dict[str, Any]) -> list[SourceObject] | None:
    try:
        return announced_objects(record["body"])
    except UnknownAnnouncementError:
        logger.exception("unknown announcement", extra={"message_id": record["messageId"]})
        return None


def _report(outcome: Outcome) -> None:
    for source, reason in outcome.failed.items():
        logger.error("object failed", extra={"bucket": source.bucket, "key": source.key, "reason": reason})
    for record in outcome.records:
        if record.message:
            logger.warning("object not read", extra={"key": record.source.key, "reason": record.message})
    totals = outcome.totals()
    logger.info("validated", extra=totals)
    for name, value in totals.items():
        unit = MetricUnit.Bytes if name == "Bytes" else MetricUnit.Count
        metrics.add_metric(name=name, unit=unit, value=value)
