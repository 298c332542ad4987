"""Export: list the files of the job and plan to copy them."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, secrets_manager, setting
from sluice.http.patience import Patience
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.delivery.delivery_check import DeliveryReader
from sluice.vendor_exports.delivery.manifest import FileLister, Limits
from sluice.vendor_exports.delivery.model import Export
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess, refusals_counted

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
vendor = VendorAccess(secrets_manager())
lake_bucket = setting("LAKE_BUCKET")
poll_seconds = setting("POLL_SECONDS", int)
lister = FileLister(
    DeliveryReader(S3ObjectStore(s3(), lake_bucket), S3StoredFiles(s3(), lake_bucket)),
    DynamoSlots(dynamodb(), setting("SLOTS_TABLE")),
    Limits(
        max_file_bytes=setting("MAX_FILE_BYTES", int),
        batch_files=setting("BATCH_FILES", int),
        batch_bytes=setting("BATCH_BYTES", int),
        rounds=setting("ROUNDS", int),
    ),
    Patience(setting("PATIENCE_SECONDS", int), usual=poll_seconds, shortest=poll_seconds),
)


@function.observe
@refusals_counted(emitter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """List the job's files: ``{"export": …, "round": …, "waited_seconds": …}``."""
    export = Export.from_json(vendor.environment, event["export"])
    logger.append_keys(slot=str(export.slot))
    listing = lister.list_files(export, vendor.client(export), event["round"], event["waited_seconds"])
    logger.info("listed", extra=asdict(listing))
    return asdict(listing)
