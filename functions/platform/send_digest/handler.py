"""By a schedule: sends the digest of the day or week that is over."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3, sns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.digest.periods import Period, PeriodKind, last_whole, parse_time
from sluice.observability.digest.sender_sns import DigestSender
from sluice.observability.digest.sources_s3 import DigestSources
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.pipelines import PIPELINES, RUN_KINDS
from sluice.runs.records_s3 import S3RunRecords


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the stage; `digest_sources` are those of each pipeline's section, by the pipeline's name."""

    stage: str
    region: str
    lake_bucket: str
    topic: str
    digest_sources: dict[str, dict[str, str]]


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
sources = DigestSources(
    stage=settings.stage,
    pipelines=PIPELINES,
    records=S3RunRecords(s3(), settings.lake_bucket, RUN_KINDS),
    lake=S3ObjectStore(s3(), settings.lake_bucket),
    dynamodb=dynamodb(),
    settings=settings.digest_sources,
)
sender = DigestSender(sources, sns(), settings.topic, settings.lake_bucket, settings.region)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Send ``{"span": "day" | "week", "until": end}``; without an end, the last whole one."""
    now, kind = datetime.now(UTC), PeriodKind(event["span"])
    period = Period(kind, parse_time(event["until"])) if "until" in event else last_whole(kind, now)
    sent = sender.send(period, now)
    logger.info("sent", extra=sent)
    return sent
