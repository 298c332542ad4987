"""Export: claim the slot for this execution."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import StepFunctionsExecutions, dynamodb, secrets_manager, setting, step_functions
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.delivery.model import Slot
from sluice.vendor_exports.delivery.slot_records import Decision, SlotClaim
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess

function = LambdaFunction()
logger = function.logger
vendor = VendorAccess(secrets_manager())
lease = timedelta(minutes=setting("LEASE_MINUTES", int))
slots = DynamoSlots(dynamodb(), setting("SLOTS_TABLE"))
executions = StepFunctionsExecutions(step_functions())


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Claim a slot, once the vendor's secret is put in.

    The event is ``{"execution": ARN, "started_at": ISO 8601, "input": {"slot"?, "vendor_url"?}}``.
    """
    wanted, vendor_url = event["input"].get("slot"), event["input"].get("vendor_url") or ""
    started_at = datetime.fromisoformat(event["started_at"]).astimezone(UTC)
    claim = SlotClaim(slots, executions, vendor.environment, vendor.address(vendor_url), lease)
    slot = Slot.parse(wanted) if wanted else None
    if vendor.is_set_up(vendor_url):
        decision, slot = claim.claim(event["execution"], started_at, slot, datetime.now(UTC))
    else:
        decision, slot = Decision.NOT_SET_UP, slot or Slot.of(started_at)
    logger.info("claimed", extra={"slot": str(slot), "decision": decision.value})
    return {
        "decision": decision.value,
        "export": {"slot": str(slot), "execution": event["execution"], "vendor_url": vendor_url},
        "trigger": {"next_step": "", "waited_seconds": 0},
        "check": {"waited_seconds": 0, "unknown": 0},
        "delivery": {"round": 0, "waited_seconds": 0},
    }
