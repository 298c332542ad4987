"""Export: compare the files in the lake with the manifest."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.delivery_check import DeliveryCheck
from sluice.vendor_exports.delivery.delivery_state import DeliveryReader
from sluice.vendor_exports.delivery.model import Export
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function; tables out of scope are separated by commas."""

    lake_bucket: str
    slots_table: str
    environment: str
    out_of_scope: str
    rounds: int


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
check = DeliveryCheck(
    DeliveryReader(S3ObjectStore(s3(), settings.lake_bucket), S3StoredFiles(s3(), settings.lake_bucket)),
    DynamoSlots(dynamodb(), settings.slots_table),
    frozenset(settings.out_of_scope.split(",")),
    settings.rounds,
)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check a slot's delivery: ``{"export": …, "round": …}``."""
    logger.append_keys(slot=event["export"]["slot"])
    export = Export.from_json(Environment(settings.environment), event["export"])
    next_step, result = check.check(export, event["round"])
    answer = {
        "next_step": next_step.value,
        "promised": result.promised,
        "copied": result.copied,
        "missing": len(result.missing),
    }
    logger.info("checked", extra=answer)
    return answer
