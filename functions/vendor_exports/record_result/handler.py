"""Export: record the result and free the slot."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.model import DELIVERED, Export
from sluice.vendor_exports.delivery.slot_records import record_result
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.metrics import (
    EXPORTS_DELIVERED,
    FILES_COPIED,
    FILES_MISSING,
    FILES_PROMISED,
    FILES_REFETCHED,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    slots_table: str
    environment: str


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
slots = DynamoSlots(dynamodb(), settings.slots_table)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the result of an export; the event is the state of the machine."""
    logger.append_keys(slot=event["export"]["slot"])
    result = record_result(Export.from_json(Environment(settings.environment), event["export"]), event, slots)
    emitter.add(EXPORTS_DELIVERED, result.status == DELIVERED)
    emitter.add(FILES_PROMISED, result.promised)
    emitter.add(FILES_COPIED, result.copied)
    emitter.add(FILES_REFETCHED, result.refetched)
    emitter.add(FILES_MISSING, len(result.missing))
    logger.info("recorded", extra=result.summary())
    return result.summary()
