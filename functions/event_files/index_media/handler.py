"""SQS → media index: objects of the media bucket came or went."""

from dataclasses import dataclass
from typing import Any

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings
from sluice.event_files.validate.media_dynamodb import DynamoMediaIndex
from sluice.observability.metrics_cloudwatch import MetricsEmitter


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    media_bucket: str
    media_table: str


@dataclass(frozen=True, slots=True)
class Change:
    """Change of an object; of changes to the same object, the one with the greatest sequencer holds."""

    key: str
    sequencer: str
    deleted: bool


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
index = DynamoMediaIndex(dynamodb(), settings.media_table, settings.media_bucket)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Index or forget the objects that a batch of messages names; report the messages that name none."""
    changes = {record["messageId"]: _change(record) for record in event["Records"]}
    latest: dict[str, Change] = {}
    for change in sorted(filter(None, changes.values()), key=lambda change: change.sequencer):
        latest[change.key] = change
    index.add(change.key for change in latest.values() if not change.deleted)
    index.remove(change.key for change in latest.values() if change.deleted)
    failed = [message for message, change in changes.items() if change is None]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _change(record: dict[str, Any]) -> Change | None:
    try:
        message = orjson.loads(record["body"])
        changed = message["detail"]["object"]
        return Change(changed["key"], changed["sequencer"], message["detail-type"] == "Object Deleted")
    except (KeyError, TypeError, ValueError):
        logger.exception("unknown media event", extra={"message_id": record["messageId"]})
        return None
