"""State of Convert after the map: compare what went in with what came out, then mark the chunks converted."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3
from sluice.event_files.convert.committing import commit, read_plan
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    lake_bucket: str
    ledger_table: str


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
files = S3ObjectStore(s3(), settings.lake_bucket)
ledger = DynamoRunLedger(dynamodb(), settings.ledger_table)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Commit the run of a plan: ``{"plan_key": …}``."""
    summary = commit(read_plan(files, event["plan_key"]), files, ledger)
    ledger.note_newest_hours(summary.newest_hours)
    logger.info("committed", extra=asdict(summary))
    return {"run_id": summary.run_id}
