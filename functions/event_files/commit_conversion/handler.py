"""State of Convert after the map: compare what went in with what came out, then mark the chunks converted."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting
from sluice.event_files.convert.committing import commit, read_plan
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
files = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
ledger = DynamoRunLedger(dynamodb(), setting("LEDGER_TABLE"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Commit the run of a plan: ``{"plan_key": …}``."""
    summary = commit(read_plan(files, event["plan_key"]), files, ledger)
    ledger.note_newest_hours(summary.newest_hours)
    logger.info("committed", extra=asdict(summary))
    return {"run_id": summary.run_id}
