"""Last state but one of Export: the account is recorded, the slot is free again."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.adapters.clients import dynamodb
from sluice.adapters.settings import read_settings
from sluice.adapters.slots import DynamoSlots
from sluice.exports.closing import close
from sluice.exports.model import DELIVERED, Lease
from sluice.exports.slots import Environment


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    slots_table: str
    environment: str


logger = Logger()
metrics = Metrics()
settings = read_settings(Settings)
slots = DynamoSlots(dynamodb(), settings.slots_table)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Close an export; the event is all that its steps left."""
    logger.append_keys(slot=event["export"]["slot"])
    account = close(Lease.from_json(Environment(settings.environment), event["export"]), event, slots)
    metrics.add_metric(name="ExportsDelivered", unit=MetricUnit.Count, value=account.status == DELIVERED)
    for name in ("promised", "copied", "refetched"):
        metrics.add_metric(name=f"Files{name.title()}", unit=MetricUnit.Count, value=getattr(account, name))
    logger.info("closed", extra={"status": account.status, "cause": account.cause})
    return {"status": account.status, "cause": account.cause}
