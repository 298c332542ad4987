"""By a schedule: writes the page of the day or week that is over into the lake bucket, and sends a message about it."""

import json
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting, sns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.digest.build import DigestSources
from sluice.observability.digest.message import message_of
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Period, PeriodKind, last_whole, page_key, parse_time
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.pipelines import PIPELINES

function = LambdaFunction()
logger = function.logger
stage, region, topic, lake_bucket = setting("STAGE"), setting("REGION"), setting("TOPIC"), setting("LAKE_BUCKET")
lake = S3ObjectStore(s3(), lake_bucket)
sources = DigestSources(
    stage=stage,
    pipelines=PIPELINES,
    lake=lake,
    dynamodb=dynamodb(),
    settings=setting("DIGEST_SOURCES", json.loads),  # of each section, by the name of its pipeline
)


@function.observe
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
    sns().publish(TopicArn=topic, Subject=message.subject, Message=message.forms, MessageStructure="json")
    sent = {"key": key, "subject": message.subject, "notices": len(digest.notices)}
    logger.info("sent", extra=sent)
    return sent


def _links(period: Period, key: str) -> dict[str, str]:
    """Return the page's addresses; none is presigned, so they open for those only who may read the bucket."""
    console = f"https://{region}.console.aws.amazon.com/s3/object/{lake_bucket}"
    again = f"sluice report --stage {stage} --span {period.kind} --until {period.end:%Y-%m-%dT%H:%MZ}"
    return {
        "Page": f"s3://{lake_bucket}/{key}",
        "Console": f"{console}?region={region}&prefix={key}",
        "Here": f"{again} --open",
    }
