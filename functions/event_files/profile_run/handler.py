"""Last state of Convert: publish the run's profiling log and close the run."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3
from sluice.event_files.convert.committing import read_plan
from sluice.event_files.convert.profiling import publish_profile
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    lake_bucket: str
    ledger_table: str
    searched: str  # empty where the stage has no search cluster


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
files = S3ObjectStore(s3(), settings.lake_bucket)
ledger = DynamoRunLedger(dynamodb(), settings.ledger_table)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Publish the profiling log of a plan's run: ``{"plan_key": …}``."""
    plan = read_plan(files, event["plan_key"])
    key = publish_profile(plan, files, ledger, searched=bool(settings.searched))
    logger.info("published", extra={"run_id": plan.run_id, "key": key})
    return {"run_id": plan.run_id}
