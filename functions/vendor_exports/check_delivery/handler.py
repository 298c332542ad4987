"""Export: compare the files in the lake with the manifest."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting
from sluice.http.patience import Patience
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
poll_seconds = setting("POLL_SECONDS", int)
check = DeliveryCheck(
    DeliveryReader(S3ObjectStore(s3(), lake_bucket), S3StoredFiles(s3(), lake_bucket)),
    DynamoSlots(dynamodb(), setting("SLOTS_TABLE")),
    frozenset(setting("OUT_OF_SCOPE").split(",")),
    setting("ROUNDS", int),
    Patience(setting("PATIENCE_SECONDS", int), usual=poll_seconds, shortest=poll_seconds),
)


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check a slot's delivery: ``{"export": …, "round": …, "waited_seconds": …}``."""
    logger.append_keys(slot=event["export"]["slot"])
    export = Export.from_json(environment, event["export"])
    answer = check.check(export, event["round"], event["waited_seconds"])
    logger.info("checked", extra=asdict(answer))
    return asdict(answer)
