"""Map state of History: the folders of some days, looked at."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import s3
from sluice.aws.environment import read_settings
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_emitter import Meter
from sluice.vendor_exports.completeness.initialise import Part, observe_part


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    lake_bucket: str


logger = Logger()
meter = Meter()
store = S3ObjectStore(s3(), read_settings(Settings).lake_bucket)


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Observe one part of the plan."""
    part = Part.from_json(event)
    observe_part(store, store, part, datetime.now(UTC))
    logger.info("observed", extra=part.to_json())
    return {"part": part.part}
