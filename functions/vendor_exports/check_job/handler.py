"""State of Export: ask the vendor how far the job is."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import dynamodb, secrets_manager
from sluice.aws.environment import read_settings
from sluice.observability.metrics import UNKNOWN_STATUSES
from sluice.observability.metrics_emitter import Meter
from sluice.vendor_exports.delivery.job import Checking, Turn
from sluice.vendor_exports.delivery.model import Lease
from sluice.vendor_exports.delivery.slots import Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.vendor_access import VendorAccess, VendorSettings, refusals_counted


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    slots_table: str
    poll_seconds: int
    deadline_seconds: int


logger = Logger()
meter = Meter()
settings = read_settings(Settings)
vendor = VendorAccess(read_settings(VendorSettings), secrets_manager())
slots = DynamoSlots(dynamodb(), settings.slots_table)


@logger.inject_lambda_context
@meter.publish
@refusals_counted(meter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check the slot's job: ``{"export": …, "triggered": turn, "polls": …, "unknown": …}``."""
    export = event["export"]
    logger.append_keys(slot=export["slot"])
    client = vendor.client(export["slot"], export["vendor_url"])
    checking = Checking(client, slots, settings.poll_seconds, settings.deadline_seconds)
    lease = Lease.from_json(vendor.environment, export)
    replaceable = event["triggered"] != Turn.ACCEPTED and lease.slot == Slot.of(datetime.now(UTC))
    answer = checking.check(lease, event["polls"], event["unknown"], replaceable=replaceable)
    meter.add(UNKNOWN_STATUSES, answer.unknown - event["unknown"])
    logger.info("checked", extra=asdict(answer))
    return asdict(answer)
