"""Export: trigger the vendor's job."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, secrets_manager, setting
from sluice.http.patience import Patience
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.delivery.job import SHORTEST_WAIT, USUAL_WAIT, JobTrigger
from sluice.vendor_exports.delivery.model import Export
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess, refusals_counted

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
vendor = VendorAccess(secrets_manager())
patience = Patience(setting("PATIENCE_SECONDS", int), USUAL_WAIT, SHORTEST_WAIT)
slots = DynamoSlots(dynamodb(), setting("SLOTS_TABLE"))


@function.observe
@refusals_counted(emitter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Trigger the slot's job: ``{"export": …, "waited_seconds": …}``."""
    export = Export.from_json(vendor.environment, event["export"])
    logger.append_keys(slot=str(export.slot))
    address = vendor.address(export.vendor_url)
    trigger = JobTrigger(vendor.client(export), address, slots, patience)
    answer = trigger.trigger(export, event["waited_seconds"])
    logger.info("triggered", extra=asdict(answer))
    return asdict(answer)
