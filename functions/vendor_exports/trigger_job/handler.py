"""Export: trigger the vendor's job."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, secrets_manager
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.delivery.job import JobTrigger
from sluice.vendor_exports.delivery.model import Export
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess, VendorSettings, refusals_counted


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    slots_table: str
    patience_seconds: int


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
vendor = VendorAccess(read_settings(VendorSettings), secrets_manager())
slots = DynamoSlots(dynamodb(), settings.slots_table)


@logger.inject_lambda_context
@emitter.publish
@refusals_counted(emitter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Trigger the slot's job: ``{"export": …, "waited_seconds": …}``."""
    export = Export.from_json(vendor.environment, event["export"])
    logger.append_keys(slot=str(export.slot))
    address = vendor.address(export.vendor_url)
    trigger = JobTrigger(vendor.client(export), address, slots, settings.patience_seconds)
    answer = trigger.trigger(export, event["waited_seconds"])
    logger.info("triggered", extra=asdict(answer))
    return asdict(answer)
