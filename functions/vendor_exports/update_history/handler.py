"""State of Export and of History: the histories and their report follow what is in the folders."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import s3
from sluice.aws.environment import read_settings
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_emitter import Meter
from sluice.vendor_exports.completeness.initialise import merge_parts
from sluice.vendor_exports.completeness.publish import Publishing
from sluice.vendor_exports.completeness.report import report_page
from sluice.vendor_exports.completeness.update import Updating
from sluice.vendor_exports.delivery.slots import Environment, Slot


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function; tables out of scope are separated by commas."""

    lake_bucket: str
    environment: str
    out_of_scope: str
    max_slots: int


logger = Logger()
meter = Meter()
settings = read_settings(Settings)
environment = Environment(settings.environment)
store = S3ObjectStore(s3(), settings.lake_bucket)
publishing = Publishing(store, report_page, [table for table in settings.out_of_scope.split(",") if table])
updating = Updating(store, store, publishing, settings.max_slots)


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Merge an initialisation, ``{"run_id": …}``, or make up for what is new: ``{"slots": [looked at again]}``."""
    if "run_id" in event:
        return {"observed": merge_parts(store, publishing, event["run_id"]), "waiting": 0}
    updated = updating.update(environment, datetime.now(UTC), [Slot.parse(slot) for slot in event.get("slots", [])])
    logger.info("updated", extra={"observed": len(updated.observed), "waiting": updated.waiting})
    return {"observed": len(updated.observed), "waiting": updated.waiting}
