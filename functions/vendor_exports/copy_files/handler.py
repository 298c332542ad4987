"""Map state of Export: one batch of files from the vendor's addresses to the lake."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import dynamodb, s3, secrets_manager
from sluice.aws.environment import read_settings
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_emitter import Meter
from sluice.vendor_exports.delivery.batches import BatchCopy
from sluice.vendor_exports.delivery.copy_files import FileCopy
from sluice.vendor_exports.delivery.keys import ExportRun
from sluice.vendor_exports.delivery.landing_s3 import S3Landing
from sluice.vendor_exports.delivery.model import CopyBatch, Lease
from sluice.vendor_exports.delivery.presigned_urls import AddressBook
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.vendor_access import VendorAccess, VendorSettings, refusals_counted


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    lake_bucket: str
    slots_table: str


logger = Logger()
meter = Meter()
settings = read_settings(Settings)
vendor = VendorAccess(read_settings(VendorSettings), secrets_manager())
files = S3ObjectStore(s3(), settings.lake_bucket)
landing = S3Landing(s3(), settings.lake_bucket)
copy = FileCopy(vendor.downloads, landing, DynamoSlots(dynamodb(), settings.slots_table))


@logger.inject_lambda_context
@meter.publish
@refusals_counted(meter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Copy a batch: ``{"export": …, "batch": …}``."""
    export, batch = event["export"], CopyBatch.from_json(event["batch"])
    logger.append_keys(slot=export["slot"], batch_id=batch.batch_id)
    run = ExportRun(Lease.from_json(vendor.environment, export))
    client = vendor.client(export["slot"], export["vendor_url"])
    book = AddressBook(client, vendor.environment, batch.job_guid, time.monotonic)
    result = BatchCopy(copy, landing, run.folder, run.name, book, vendor.pauses).run(batch)
    files.write(run.result_key(batch.batch_id), orjson.dumps(asdict(result)))
    logger.info("copied", extra={"files": len(batch.files), "reasons": dict(result.reasons)})
    return {"batch_id": batch.batch_id, "failed": len(result.reasons)}
