"""Export: compare the files in the lake with the manifest."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.delivery_check import DeliveryCheck, DeliveryReader
from sluice.vendor_exports.delivery.model import Export
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles

function = LambdaFunction()
logger = function.logger
environment = setting("ENVIRONMENT", Environment)
lake_bucket = setting("LAKE_BUCKET")
check = DeliveryCheck(
    DeliveryReader(S3ObjectStore(s3(), lake_bucket), S3StoredFiles(s3(), lake_bucket)),
    DynamoSlots(dynamodb(), setting("SLOTS_TABLE")),
    frozenset(setting("OUT_OF_SCOPE").split(",")),
    setting("ROUNDS", int),
)


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check a slot's delivery: ``{"export": …, "round": …}``."""
    logger.append_keys(slot=event["export"]["slot"])
    export = Export.from_json(environment, event["export"])
    next_step, result = check.check(export, event["round"])
    answer = {
        "next_step": next_step.value,
        "promised": result.promised,
        "copied": result.copied,
        "missing": len(result.missing),
    }
    logger.info("checked", extra=answer)
    return answer
