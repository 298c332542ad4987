"""Export: record the result and free the slot."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, setting
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.client.api import Environment
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

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
environment = setting("ENVIRONMENT", Environment)
slots = DynamoSlots(dynamodb(), setting("SLOTS_TABLE"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the result of an export; the event is the state of the machine."""
    logger.append_keys(slot=event["export"]["slot"])
    result = record_result(Export.from_json(environment, event["export"]), event, slots)
    emitter.add(EXPORTS_DELIVERED, result.status == DELIVERED)
    emitter.add(FILES_PROMISED, result.promised)
    emitter.add(FILES_COPIED, result.copied)
    emitter.add(FILES_REFETCHED, result.refetched)
    emitter.add(FILES_MISSING, len(result.missing))
    logger.info("recorded", extra=result.summary())
    return result.summary()
