"""History: observe the folders of some days."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.vendor_exports.completeness.initialise_history import Part, observe_part

function = LambdaFunction()
logger = function.logger
store = S3ObjectStore(s3(), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Observe one part of the plan."""
    part = Part(**event)
    observe_part(store, part, datetime.now(UTC))
    logger.info("observed", extra=event)
    return {"part": part.part}
