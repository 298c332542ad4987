"""SQS → media index: objects of the media bucket came or went."""

from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, setting
from sluice.event_files.media_dynamodb import DynamoMediaIndex
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
index = DynamoMediaIndex(dynamodb(), setting("MEDIA_TABLE"), setting("MEDIA_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Index or forget the objects that a batch of messages names; report the messages that name none."""
    changes = {record["messageId"]: _change(record) for record in event["Records"]}
    deleted = {key: is_deleted for _, key, is_deleted in sorted(filter(None, changes.values()))}
    index.add(key for key, is_deleted in deleted.items() if not is_deleted)
    index.remove(key for key, is_deleted in deleted.items() if is_deleted)
    failed = [message for message, change in changes.items() if change is None]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _change(record: dict[str, Any]) -> tuple[str, str, bool] | None:
    """Return sequencer and key of an object, and whether it was deleted: its change with the greatest sequencer holds.

    None for a message that names no object.
    """
    try:
        message = orjson.loads(record["body"])
        changed = message["detail"]["object"]
        return changed["sequencer"], changed["key"], message["detail-type"] == "Object Deleted"
    except (KeyError, TypeError, ValueError):
        logger.exception("unknown media event", extra={"message_id": record["messageId"]})
        return None
