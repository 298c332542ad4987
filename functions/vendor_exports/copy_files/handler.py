"""Export: copy one batch of files from presigned URLs to the lake."""

from dataclasses import dataclass
from typing import Any

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3, secrets_manager
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.delivery.copy_files import BatchCopy, PresignedUrls
from sluice.vendor_exports.delivery.file_copy import FileCopy
from sluice.vendor_exports.delivery.model import CopyBatch, Export
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess, VendorSettings, refusals_counted


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    lake_bucket: str
    slots_table: str


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
vendor = VendorAccess(read_settings(VendorSettings), secrets_manager())
files = S3ObjectStore(s3(), settings.lake_bucket)
stored = S3StoredFiles(s3(), settings.lake_bucket)
copy = FileCopy(vendor.downloads, stored, DynamoSlots(dynamodb(), settings.slots_table))


@logger.inject_lambda_context
@emitter.publish
@refusals_counted(emitter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Copy a batch: ``{"export": …, "batch": …}``."""
    export, batch = Export.from_json(vendor.environment, event["export"]), CopyBatch.from_json(event["batch"])
    logger.append_keys(slot=str(export.slot), batch_id=batch.batch_id)
    urls = PresignedUrls(vendor.client(export), vendor.environment, batch.job_guid)
    result = BatchCopy(copy, stored, export, urls, vendor.pauses).run(batch)
    files.write(export.result_key(batch.batch_id), orjson.dumps(result))
    logger.info("copied", extra={"files": len(batch.files), "reasons": dict(result.reasons)})
    return {"batch_id": batch.batch_id, "failed": len(result.reasons)}
