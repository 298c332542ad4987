"""State of Export: ask what the job holds, and plan to copy it."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import dynamodb, s3, secrets_manager
from sluice.aws.environment import read_settings
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_emitter import Meter
from sluice.vendor_exports.delivery.delivery_state import Arrivals
from sluice.vendor_exports.delivery.landing_s3 import S3Landing
from sluice.vendor_exports.delivery.manifest import Promising, Sizes
from sluice.vendor_exports.delivery.model import Lease
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
promising = Promising(
    files,
    Arrivals(files, S3Landing(s3(), settings.lake_bucket)),
    DynamoSlots(dynamodb(), settings.slots_table),
    read_settings(Sizes),
)


@logger.inject_lambda_context
@meter.publish
@refusals_counted(meter)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """List the job's files: ``{"export": …, "round": …}``."""
    export = event["export"]
    logger.append_keys(slot=export["slot"])
    client = vendor.client(export["slot"], export["vendor_url"])
    listing = promising.promise(Lease.from_json(vendor.environment, export), client, event["round"])
    logger.info("listed", extra=asdict(listing))
    return asdict(listing)
