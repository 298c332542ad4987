"""SQS → media index: objects of the media bucket came or went."""

from itertools import chain
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting
from sluice.event_files.media_dynamodb import DynamoMediaIndex
from sluice.event_files.media_s3 import S3MediaBucket
from sluice.event_files.validate.announcements import Change, UnknownAnnouncementError, changes
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
index = DynamoMediaIndex(dynamodb(), setting("MEDIA_TABLE"), setting("MEDIA_BUCKET"))
bucket = S3MediaBucket(s3(), setting("MEDIA_BUCKET"), setting("MEDIA_OWNER"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Note in the index what became of the objects that messages name; report the messages that name none."""
    announced = {record["messageId"]: _changes(record) for record in event["Records"]}
    in_order = sorted(chain.from_iterable(filter(None, announced.values())), key=lambda change: change.sequencer)
    for change in {change.key: change for change in in_order}.values():  # the last change of a key holds
        index.note(change.key, change.sequencer, is_there=_is_there(change))
    failed = [message for message, found in announced.items() if found is None]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _is_there(change: Change) -> bool:
    """Return whether an object is there after a change; S3 is asked where a version went, which may be an old one."""
    if not change.gone or change.marked:
        return not change.gone
    return bucket.holds(change.key)


def _changes(record: dict[str, Any]) -> list[Change] | None:
    """Return the changes of objects that a message announces, None where it has no known form."""
    try:
        return changes(record["body"])
    except UnknownAnnouncementError:
        logger.exception("unknown media event", extra={"message_id": record["messageId"]})
        return None
