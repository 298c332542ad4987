"""State of Export: compare what arrived with what was promised."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.adapters.clients import dynamodb, s3
from sluice.adapters.lake import S3Lake
from sluice.adapters.landing import S3Landing
from sluice.adapters.meter import Meter
from sluice.adapters.settings import read_settings
from sluice.adapters.slots import DynamoSlots
from sluice.exports.arrival import Arrivals
from sluice.exports.model import Lease
from sluice.exports.proving import Proving
from sluice.exports.slots import Environment


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
files = S3Lake(s3(), settings.lake_bucket)
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
