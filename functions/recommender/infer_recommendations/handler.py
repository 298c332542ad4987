"""Infer: recommend tracks to all users, and find those that are like others."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.inference import Inference
from sluice.recommender.steps import infer

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Infer: ``{"inference": …}``; return the counts."""
    inference = Inference.from_json(event["inference"])
    counts = asdict(infer(lake, inference))
    logger.info("inferred", extra={"inference_id": inference.inference_id, **counts})
    return counts
