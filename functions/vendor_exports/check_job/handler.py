"""Export: ask the vendor for the status of the job."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, secrets_manager, setting
from sluice.http.patience import Patience
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.delivery.job import JobCheck, NextStep
from sluice.vendor_exports.delivery.model import Export, Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess, refusals_counted
from sluice.vendor_exports.metrics import UNKNOWN_STATUSES

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
vendor = VendorAccess(secrets_manager())
poll_seconds = setting("POLL_SECONDS", int)
patience = Patience(setting("DEADLINE_SECONDS", int), usual=poll_seconds, shortest=poll_seconds)
slots = DynamoSlots(dynamodb(), setting("SLOTS_TABLE"))


@function.observe
@refusals_counted(emitter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check the slot's job: ``{"export", "triggered": next step of the trigger, "waited_seconds", "unknown"}``."""
    export = Export.from_json(vendor.environment, event["export"])
    logger.append_keys(slot=str(export.slot))
    check = JobCheck(vendor.client(export), slots, patience)
    replaceable = event["triggered"] != NextStep.ACCEPTED and export.slot == Slot.of(datetime.now(UTC))
    answer = check.check(export, event["waited_seconds"], event["unknown"], replaceable=replaceable)
    emitter.add(UNKNOWN_STATUSES, answer.unknown - event["unknown"])
    logger.info("checked", extra=asdict(answer))
    return asdict(answer)
