"""Infer, Retrain: join what was extracted to pairs of users and tracks, with how often each was played."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.inference import Inference
from sluice.recommender.steps import prepare

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Prepare the pairs of an inference: ``{"inference": …}``."""
    inference = Inference.from_json(event["inference"])
    pairs = prepare(lake, inference)
    logger.info("prepared", extra={"inference_id": inference.inference_id, "pairs": pairs})
    return {"pairs": pairs}
