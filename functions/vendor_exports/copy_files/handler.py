"""Export: copy one batch of files from presigned URLs to the lake."""

from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, secrets_manager, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.delivery.copy_files import BatchCopy, FileCopy, PresignedUrls
from sluice.vendor_exports.delivery.model import CopyBatch, Export
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess, refusals_counted

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
vendor = VendorAccess(secrets_manager())
lake_bucket = setting("LAKE_BUCKET")
files, stored = S3ObjectStore(s3(), lake_bucket), S3StoredFiles(s3(), lake_bucket)
slots = DynamoSlots(dynamodb(), setting("SLOTS_TABLE"))
_LAST_SECONDS = 60  # for what follows the last byte: a part is uploaded, the result is written


@function.observe
@refusals_counted(emitter)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Copy a batch: ``{"export": …, "batch": …}``."""
    export, batch = Export.from_json(vendor.environment, event["export"]), CopyBatch.from_json(event["batch"])
    logger.append_keys(slot=str(export.slot), batch_id=batch.batch_id)
    downloads = vendor.downloads.within(context.get_remaining_time_in_millis() / 1000 - _LAST_SECONDS)
    copy = FileCopy(downloads, stored, slots)
    urls = PresignedUrls(vendor.client(export), vendor.environment, batch.job_guid)
    result = BatchCopy(copy, stored, export, urls, vendor.pauses).run(batch)
    files.write(export.result_key(batch.batch_id), orjson.dumps(result))
    logger.info("copied", extra={"files": len(batch.files), "reasons": dict(result.reasons)})
    return {"batch_id": batch.batch_id, "failed": len(result.reasons)}
