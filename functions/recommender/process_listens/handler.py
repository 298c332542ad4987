"""Infer, Retrain: set apart the pairs that no model may know."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.inference import Inference
from sluice.recommender.steps import process

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Process the pairs of an inference: ``{"inference": …}``."""
    inference = Inference.from_json(event["inference"])
    pairs = process(lake, inference)
    logger.info("processed", extra={"inference_id": inference.inference_id, "pairs": pairs})
    return {"pairs": pairs}
