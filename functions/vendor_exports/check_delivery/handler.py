"""State of Export: compare what arrived with what was promised."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import dynamodb, s3
from sluice.aws.environment import read_settings
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_emitter import Meter
from sluice.vendor_exports.delivery.delivery_check import Proving
from sluice.vendor_exports.delivery.delivery_state import Arrivals
from sluice.vendor_exports.delivery.landing_s3 import S3Landing
from sluice.vendor_exports.delivery.model import Lease
from sluice.vendor_exports.delivery.slots import Environment
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function; tables out of scope are separated by commas."""

    lake_bucket: str
    slots_table: str
    environment: str
    out_of_scope: str
    rounds: int


logger = Logger()
meter = Meter()
settings = read_settings(Settings)
files = S3ObjectStore(s3(), settings.lake_bucket)
proving = Proving(
    files,
    Arrivals(files, S3Landing(s3(), settings.lake_bucket)),
    DynamoSlots(dynamodb(), settings.slots_table),
    frozenset(settings.out_of_scope.split(",")),
    settings.rounds,
)


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check a slot's delivery: ``{"export": …, "round": …}``."""
    logger.append_keys(slot=event["export"]["slot"])
    lease = Lease.from_json(Environment(settings.environment), event["export"])
    turn, account = proving.check(lease, event["round"])
    counts = {"promised": account.promised, "copied": account.copied, "missing": len(account.missing)}
    logger.info("checked", extra={"turn": turn.value, **counts})
    return {"turn": turn.value, **counts}
