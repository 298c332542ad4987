"""SQS → validated: every announced object's events become clean, dirty or unrelated lines of a committed chunk."""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting, sqs
from sluice.contracts.load import load_registry
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.model import SourceObject, SourceRecord
from sluice.event_files.media_dynamodb import DynamoMediaIndex
from sluice.event_files.validate.announcements import UnknownAnnouncementError, announced_objects
from sluice.event_files.validate.hours import HourLimits
from sluice.event_files.validate.messages_sqs import SqsMessages, deliveries
from sluice.event_files.validate.source_store_s3 import S3SourceStore
from sluice.event_files.validate.turns import Message, Turns
from sluice.event_files.validate.validation import Limits, Outcome, Validation
from sluice.lake.object_store import timestamped_id
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

_SLOW_SECONDS = 1.0
_SAME_IN_ALL = ("function_name", "function_arn", "function_memory_size")  # a third of what logging files would cost

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
store = S3SourceStore(s3(), setting("SOURCE_OWNER"))
limits = Limits(
    setting("CHUNK_BYTES", int),
    setting("MAX_FILE_BYTES", int),
    file_seconds=setting("FILE_SECONDS", float),
    hours=HourLimits(
        days_before=setting("EVENT_DAYS_BEFORE_FILE", int),
        days_after=setting("EVENT_DAYS_AFTER_FILE", int),
        most=setting("MAX_FILE_HOURS", int),
    ),
)
ledger = DynamoLedger(dynamodb(), setting("LEDGER_TABLE"))
queue_url, most_deliveries = setting("QUEUE_URL"), setting("MAX_RECEIVES", int)
validation = Validation(
    registry=load_registry(),
    read_source=store.read,
    chunks=S3ObjectStore(s3(), setting("LAKE_BUCKET")),
    ledger=ledger,
    look_up_media=DynamoMediaIndex(dynamodb(), setting("MEDIA_TABLE"), setting("MEDIA_BUCKET")).find,
    limits=limits,
    new_chunk_id=lambda: timestamped_id(datetime.now(UTC), secrets.token_hex(4)),
    stopwatch=time.perf_counter,
)


@function.observe
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Validate the objects that a batch of messages announces; report the messages that must come again."""
    logger.remove_keys(_SAME_IN_ALL)
    announced = {record["messageId"]: _announced(record) for record in event["Records"]}
    messages = [
        Message(record["messageId"], tuple(objects), deliveries(record))
        for record in event["Records"]
        if (objects := announced[record["messageId"]]) is not None
    ]
    turns = Turns(_validate, ledger, SqsMessages(sqs, queue_url, event["Records"]), limits, most_deliveries)
    failed = turns.take(messages, lambda: context.get_remaining_time_in_millis() / 1000)
    _report(turns.outcome)
    failed.update(message for message, objects in announced.items() if objects is None)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _validate(sources: Sequence[SourceObject], seconds_left: Callable[[], float]) -> Outcome:
    store.expect(sources)
    return validation.run(sources, seconds_left)


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
        _report_file(record, outcome.seconds[record.source])
    for source in outcome.skipped:
        logger.info("object known already", extra={"key": source.key})
    if outcome.postponed:
        logger.info("announced anew", extra={"files": len(outcome.postponed)})
    totals = outcome.totals()
    logger.info("validated", extra={metric.name: value for metric, value in totals.items()})
    for metric, value in totals.items():
        emitter.add(metric, value)


def _report_file(record: SourceRecord, seconds: float) -> None:
    """Log a file if it was slow or has dirty records: a line for each would cost more than validating it."""
    if seconds < _SLOW_SECONDS and not record.counts.dirty:
        return
    counts = {"events": record.counts.events, "dirty": record.counts.dirty.total()}
    known = {"key": record.source.key, "bytes": record.size, "seconds": round(seconds, 3), **counts}
    logger.info("file", extra={**known, "reasons": dict(record.counts.dirty_by_reason())})
