"""Export: list the files of the job and plan to copy them."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3, secrets_manager
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.delivery.delivery_state import DeliveryReader
from sluice.vendor_exports.delivery.manifest import FileLister, Limits
from sluice.vendor_exports.delivery.model import Export
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
lister = FileLister(
    DeliveryReader(S3ObjectStore(s3(), settings.lake_bucket), S3StoredFiles(s3(), settings.lake_bucket)),
    DynamoSlots(dynamodb(), settings.slots_table),
    read_settings(Limits),
)


@logger.inject_lambda_context
@emitter.publish
@refusals_counted(emitter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """List the job's files: ``{"export": …, "round": …}``."""
    export = Export.from_json(vendor.environment, event["export"])
    logger.append_keys(slot=str(export.slot))
    listing = lister.list_files(export, vendor.client(export), event["round"])
    logger.info("listed", extra=asdict(listing))
    return asdict(listing)
