"""First state of Convert: plan the work of this execution."""

import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import StepFunctionsExecutions, dynamodb, s3, setting, step_functions
from sluice.event_files.convert.planning import Planning
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.lake.object_store import timestamped_id
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
planning = Planning(
    ledger=DynamoRunLedger(dynamodb(), setting("LEDGER_TABLE")),
    files=S3ObjectStore(s3(), setting("LAKE_BUCKET")),
    executions=StepFunctionsExecutions(step_functions()),
    batch_bytes=setting("BATCH_BYTES", int),
)


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Plan the run of an execution (ARN): ``{"execution": …}``. Runs are named by when they begin, not when it did."""
    token, now = secrets.token_hex(4), datetime.now(UTC)
    planned = planning.plan(event["execution"], timestamped_id(now, token), now, token)
    logger.info("planned", extra=asdict(planned))
    return {"status": planned.decision.value, "run_id": planned.run_id, "plan_key": planned.plan_key}
