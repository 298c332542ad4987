"""Export and History: update the histories and their report from the folders."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import glue, s3, setting
from sluice.lake.derived_tables_iceberg import DerivedTables
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.initialise_history import merge_parts
from sluice.vendor_exports.completeness.report.page import report_page
from sluice.vendor_exports.completeness.update_history import HistoryPublisher, HistoryUpdater
from sluice.vendor_exports.delivery.model import Slot

function = LambdaFunction()
logger = function.logger
environment = setting("ENVIRONMENT", Environment)
_NAMED = 100  # slots in the log
store = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
publisher = HistoryPublisher(
    lake=store,
    tables=DerivedTables(glue(), setting("DATABASE"), setting("LAKE_BUCKET")),
    report=report_page,
    out_of_scope=[table for table in setting("OUT_OF_SCOPE").split(",") if table],
)
updater = HistoryUpdater(store, publisher, setting("MAX_SLOTS", int))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Merge an initialisation, ``{"run_id": …}``, or observe new slots: ``{"slots": [slots to observe again]}``."""
    if "run_id" in event:
        return {"observed": merge_parts(store, publisher, event["run_id"]), "waiting": 0}
    updated = updater.update(environment, datetime.now(UTC), [Slot.parse(slot) for slot in event.get("slots", [])])
    counts = {"observed": len(updated.observed), "waiting": updated.waiting, "cut": len(updated.beyond_limits)}
    logger.info("updated", extra=counts)
    if updated.beyond_limits:
        slots = [str(slot) for slot in updated.beyond_limits[:_NAMED]]
        logger.warning("tables and schemas beyond the limits were dropped from the histories", extra={"slots": slots})
    return counts
