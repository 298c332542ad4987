"""Export and History: update the histories and their report from the folders."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import read_settings, s3
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.completeness.initialise_history import merge_parts
from sluice.vendor_exports.completeness.report.page import report_page
from sluice.vendor_exports.completeness.update_history import HistoryPublisher, HistoryUpdater
from sluice.vendor_exports.delivery.slots import Slot


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function; tables out of scope are separated by commas."""

    lake_bucket: str
    environment: str
    out_of_scope: str
    max_slots: int


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
environment = Environment(settings.environment)
store = S3ObjectStore(s3(), settings.lake_bucket)
publisher = HistoryPublisher(store, report_page, [table for table in settings.out_of_scope.split(",") if table])
updater = HistoryUpdater(store, publisher, settings.max_slots)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Merge an initialisation, ``{"run_id": …}``, or observe new slots: ``{"slots": [slots to observe again]}``."""
    if "run_id" in event:
        return {"observed": merge_parts(store, publisher, event["run_id"]), "waiting": 0}
    updated = updater.update(environment, datetime.now(UTC), [Slot.parse(slot) for slot in event.get("slots", [])])
    logger.info("updated", extra={"observed": len(updated.observed), "waiting": updated.waiting})
    return {"observed": len(updated.observed), "waiting": updated.waiting}
