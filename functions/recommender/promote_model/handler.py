"""Retrain: put the candidate into production, if it is better beyond noise."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store import iso
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.candidate import Candidate
from sluice.recommender.champion import promote
from sluice.recommender.registry_mlflow import MlflowRegistry
from sluice.recommender.trainings import Training

function = LambdaFunction()
logger = function.logger
bucket = setting("LAKE_BUCKET")
lake = S3ObjectStore(s3(), bucket)
registry = MlflowRegistry(lake, bucket, setting("MLFLOW_APP"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Promote: ``{"training": …}``; return whether the candidate is in production."""
    training = Training.from_json(event["training"])
    candidate = Candidate.read(lake, training.version)
    promoted = candidate.promote and promote(lake, candidate.promoted(iso(datetime.now(UTC))), training.champion)
    if promoted:
        registry.follow()
    logger.info("promoted" if promoted else "kept", extra={"version": candidate.version, "reason": candidate.reason})
    return {"promoted": promoted}
