"""Pull: take the lease of the pulls for this execution."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.contracts import ENDPOINTS
from sluice.api_pull.pulls import begin, new_pull
from sluice.aws.runtime import StepFunctionsExecutions, dynamodb, setting, step_functions
from sluice.lake.lease_dynamodb import DynamoLease
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
lease = DynamoLease(dynamodb(), setting("PULLS_TABLE"), "pull")
executions = StepFunctionsExecutions(step_functions())
source_url = setting("SOURCE_URL")


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Begin a pull: ``{"execution": ARN, "started_at": ISO 8601, "input": {"date"?, "source_url"?}}``."""
    pull = new_pull(event["execution"], datetime.fromisoformat(event["started_at"]), event["input"])
    decision = begin(pull, lease, executions, is_set_up=bool(source_url or pull.source_url))
    logger.info("begun", extra={"decision": decision, **asdict(pull)})
    steps = {"extract": {"turn": 0, "memory_mb": 0}, "check": {"turn": 0, "memory_mb": 0}}
    return {"decision": decision, "pull": asdict(pull), **dict.fromkeys(ENDPOINTS, steps)}
