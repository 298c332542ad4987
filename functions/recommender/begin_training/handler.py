"""Retrain: take the lease of the trainings for this execution, and find what the mart shows."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import StepFunctionsExecutions, dynamodb, s3, setting, step_functions
from sluice.lake.lease_dynamodb import DynamoLease
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.beginning import inference_of
from sluice.recommender.champion import Champion
from sluice.recommender.inference import EMPTY
from sluice.recommender.mart.extracting_postgres import snapshot_of
from sluice.recommender.trainings import Training, begin

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
mart = Mart(connector(setting("MART_ENDPOINT", MartAddress.parse), setting("MART_ROLE")))
lease = DynamoLease(dynamodb(), setting("TRAININGS_TABLE"), "training")
executions = StepFunctionsExecutions(step_functions())


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Begin a training: ``{"execution": ARN, "started_at": ISO 8601, "input": {"reason"?, "started_by"?}}``."""
    champion = Champion.read(lake).version
    started_at = datetime.fromisoformat(event["started_at"])
    training = Training.of(event["execution"], started_at, event["input"], champion)
    snapshot = snapshot_of(mart)
    inference = asdict(inference_of(lake, snapshot)) if snapshot else {}
    decision = begin(training, lease, executions) if snapshot else EMPTY
    logger.info("begun", extra={"decision": decision, **asdict(training), "snapshot": inference.get("snapshot")})
    return {"decision": decision, "training": asdict(training), "inference": inference}
