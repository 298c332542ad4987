"""History: cut the range of hours into parts."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import history_plan_key
from sluice.vendor_exports.completeness.initialise_history import write_plan
from sluice.vendor_exports.delivery.model import Slot

function = LambdaFunction()
logger = function.logger
environment = setting("ENVIRONMENT", Environment)
store = S3ObjectStore(s3(), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Plan an initialisation: ``{"execution": ARN, "first": slot, "last": slot}``."""
    run_id = event["execution"].rpartition(":")[2]
    first, last = Slot.parse(event["first"]), Slot.parse(event["last"])
    parts = write_plan(store, run_id, environment, first, last, datetime.now(UTC))
    logger.info("planned", extra={"run_id": run_id, "parts": len(parts)})
    return {"run_id": run_id, "plan_key": history_plan_key(run_id)}
