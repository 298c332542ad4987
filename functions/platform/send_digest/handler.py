"""By a schedule: writes the page of the day or week that is over into the lake bucket, and sends a message about it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3, sns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.digest.message import message_of
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Period, PeriodKind, last_whole, page_key, parse_time
from sluice.observability.digest.sources import DigestSources
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.pipelines import PIPELINES


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
lake = S3ObjectStore(s3(), settings.lake_bucket)
sources = DigestSources(
    stage=settings.stage, pipelines=PIPELINES, lake=lake, dynamodb=dynamodb(), settings=settings.digest_sources
)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Send ``{"span": "day" | "week", "until": end}``; without an end, the last whole one.

    Returns:
        The page's `key`, the message's `subject`, and the number of `notices`.
    """
    now, kind = datetime.now(UTC), PeriodKind(event["span"])
    period = Period(kind, parse_time(event["until"])) if "until" in event else last_whole(kind, now)
    digest, key = sources.digest(period, now), page_key(period)
    lake.write(key, digest_page(digest))
    message = message_of(digest, _links(period, key))
    sns().publish(TopicArn=settings.topic, Subject=message.subject, Message=message.body)
    sent = {"key": key, "subject": message.subject, "notices": len(digest.notices)}
    logger.info("sent", extra=sent)
    return sent


def _links(period: Period, key: str) -> dict[str, str]:
    """Return the page's addresses; none is presigned, so they open for those only who may read the bucket."""
    console = f"https://{settings.region}.console.aws.amazon.com/s3/object/{settings.lake_bucket}"
    again = f"sluice report --stage {settings.stage} --span {period.kind} --until {period.end:%Y-%m-%dT%H:%MZ}"
    return {
        "Page": f"s3://{settings.lake_bucket}/{key}",
        "Console": f"{console}?region={settings.region}&prefix={key}",
        "Here": f"{again} --open",
    }
