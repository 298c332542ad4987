"""By a schedule: the digest of the day or week that is over goes to people."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import dynamodb, s3, sns
from sluice.aws.environment import read_settings
from sluice.event_files.ledger.freshness_dynamodb import DynamoFreshness
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.digest.periods import Span, SpanKind, last_whole, moment
from sluice.observability.digest.sending import Sending
from sluice.observability.digest.sources import Sources
from sluice.observability.metrics_emitter import Meter
from sluice.observability.topic_sns import SnsTopic
from sluice.runs.records_s3 import S3RunRecords
from sluice.vendor_exports.delivery.slots import Environment


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function; tables out of scope are separated by commas."""

    stage: str
    region: str
    lake_bucket: str
    ledger_table: str
    topic: str
    environment: str
    out_of_scope: str


logger = Logger()
meter = Meter()
settings = read_settings(Settings)
store = S3ObjectStore(s3(), settings.lake_bucket)
sources = Sources(
    stage=settings.stage,
    environment=Environment(settings.environment),
    out_of_scope=[table for table in settings.out_of_scope.split(",") if table],
    records=S3RunRecords(s3(), settings.lake_bucket),
    histories=store,
    tables=DynamoFreshness(dynamodb(), settings.ledger_table),
)
sending = Sending(sources, store, SnsTopic(sns(), settings.topic), settings.lake_bucket, settings.region)


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Send ``{"span": "day" | "week", "until": end}``; without an end, the last whole one."""
    now, kind = datetime.now(UTC), SpanKind(event["span"])
    span = Span(kind, moment(event["until"])) if "until" in event else last_whole(kind, now)
    sent = sending.send(span, now)
    logger.info("sent", extra={"key": sent.key, "notices": sent.notices})
    return {"key": sent.key, "subject": sent.subject, "notices": sent.notices}
