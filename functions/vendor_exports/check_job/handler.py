"""Export: ask the vendor for the status of the job."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, secrets_manager
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.delivery.job import JobCheck, NextStep
from sluice.vendor_exports.delivery.model import Export
from sluice.vendor_exports.delivery.slots import Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess, VendorSettings, refusals_counted
from sluice.vendor_exports.metrics import UNKNOWN_STATUSES


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    slots_table: str
    poll_seconds: int
    deadline_seconds: int


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
vendor = VendorAccess(read_settings(VendorSettings), secrets_manager())
slots = DynamoSlots(dynamodb(), settings.slots_table)


@logger.inject_lambda_context
@emitter.publish
@refusals_counted(emitter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check the slot's job: ``{"export": …, "triggered": next step of the trigger, "polls": …, "unknown": …}``."""
    export = Export.from_json(vendor.environment, event["export"])
    logger.append_keys(slot=str(export.slot))
    check = JobCheck(vendor.client(export), slots, settings.poll_seconds, settings.deadline_seconds)
    replaceable = event["triggered"] != NextStep.ACCEPTED and export.slot == Slot.of(datetime.now(UTC))
    answer = check.check(export, event["polls"], event["unknown"], replaceable=replaceable)
    emitter.add(UNKNOWN_STATUSES, answer.unknown - event["unknown"])
    logger.info("checked", extra=asdict(answer))
    return asdict(answer)
