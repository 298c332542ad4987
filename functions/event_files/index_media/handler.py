"""SQS → media index: objects of the media bucket came or went."""

from itertools import chain
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, setting
from sluice.event_files.media_dynamodb import DynamoMediaIndex
from sluice.event_files.validate.announcements import Change, UnknownAnnouncementError, changes
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
index = DynamoMediaIndex(dynamodb(), setting("MEDIA_TABLE"), setting("MEDIA_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Index or forget the objects that a batch of messages names; report the messages that name none."""
    announced = {record["messageId"]: _changes(record) for record in event["Records"]}
    in_order = sorted(chain.from_iterable(filter(None, announced.values())), key=lambda change: change.sequencer)
    gone = {change.key: change.gone for change in in_order}  # the last change of a key holds
    index.add(key for key, is_gone in gone.items() if not is_gone)
    index.remove(key for key, is_gone in gone.items() if is_gone)
    failed = [message for message, found in announced.items() if found is None]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _changes(record: dict[str, Any]) -> list[Change] | None:
    """Return the changes of objects that a message announces, None where it has no known form."""
    try:
        return changes(record["body"])
    except UnknownAnnouncementError:
        logger.exception("unknown media event", extra={"message_id": record["messageId"]})
        return None
