"""EventBridge → media index: an object of the media bucket came or went."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.adapters.clients import dynamodb
from sluice.adapters.media import DynamoMediaIndex
from sluice.adapters.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    media_bucket: str
    media_table: str


logger = Logger()
settings = read_settings(Settings)
index = DynamoMediaIndex(dynamodb(), settings.media_table, settings.media_bucket)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Index or forget the object that an event names."""
    key = event["detail"]["object"]["key"]
    if event["detail-type"] == "Object Deleted":
        index.remove([key])
    else:
        index.add([key])
