"""Last state but one of Export: the account is recorded, the slot is free again."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import dynamodb
from sluice.aws.environment import read_settings
from sluice.observability.metrics import EXPORTS_DELIVERED, FILES_COPIED, FILES_MISSING, FILES_PROMISED, FILES_REFETCHED
from sluice.observability.metrics_emitter import Meter
from sluice.vendor_exports.delivery.model import DELIVERED, Lease
from sluice.vendor_exports.delivery.record_result import close
from sluice.vendor_exports.delivery.slots import Environment
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    slots_table: str
    environment: str


logger = Logger()
meter = Meter()
settings = read_settings(Settings)
slots = DynamoSlots(dynamodb(), settings.slots_table)


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Close an export; the event is all that its steps left."""
    logger.append_keys(slot=event["export"]["slot"])
    account = close(Lease.from_json(Environment(settings.environment), event["export"]), event, slots)
    meter.add(EXPORTS_DELIVERED, account.status == DELIVERED)
    meter.add(FILES_PROMISED, account.promised)
    meter.add(FILES_COPIED, account.copied)
    meter.add(FILES_REFETCHED, account.refetched)
    meter.add(FILES_MISSING, len(account.missing))
    logger.info("closed", extra=account.summary())
    return account.summary()
