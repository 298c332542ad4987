"""History: observe the folders of some days."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import read_settings, s3
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.vendor_exports.completeness.initialise_history import Part, observe_part


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    lake_bucket: str


logger = Logger()
emitter = MetricsEmitter()
store = S3ObjectStore(s3(), read_settings(Settings).lake_bucket)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Observe one part of the plan."""
    part = Part(**event)
    observe_part(store, part, datetime.now(UTC))
    logger.info("observed", extra=event)
    return {"part": part.part}
