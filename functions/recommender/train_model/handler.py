"""Retrain: train a candidate, and compare it with the champion on the same pairs."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.inference import Inference
from sluice.recommender.training_steps import make_candidate
from sluice.recommender.trainings import Training

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Train: ``{"training": …, "inference": …}``."""
    candidate = make_candidate(lake, Training.from_json(event["training"]), Inference.from_json(event["inference"]))
    shown = {"version": candidate.version, "promote": candidate.promote, "reason": candidate.reason}
    logger.info("trained", extra={**shown, **candidate.settings, **candidate.metrics, **candidate.comparison})
    return shown
