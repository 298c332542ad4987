"""History: cut the range of hours into parts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import read_settings, s3
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.completeness.history_files import history_plan_key
from sluice.vendor_exports.completeness.initialise_history import write_plan
from sluice.vendor_exports.delivery.slots import Slot


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    lake_bucket: str
    environment: str


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
store = S3ObjectStore(s3(), settings.lake_bucket)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Plan an initialisation: ``{"execution": ARN, "first": slot, "last": slot}``."""
    run_id = event["execution"].rpartition(":")[2]
    first, last = Slot.parse(event["first"]), Slot.parse(event["last"])
    parts = write_plan(store, run_id, Environment(settings.environment), first, last, datetime.now(UTC))
    logger.info("planned", extra={"run_id": run_id, "parts": len(parts)})
    return {"run_id": run_id, "plan_key": history_plan_key(run_id)}
