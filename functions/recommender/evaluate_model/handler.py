"""Infer: evaluate the model on pairs held out, and what was recommended before on what was heard since."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.champion import Champion
from sluice.recommender.inference import Inference
from sluice.recommender.metrics import MODEL_AGE
from sluice.recommender.model.decision import Thresholds
from sluice.recommender.steps import assess

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
thresholds = Thresholds(
    setting("LEAST_NDCG", float), setting("LEAST_OF_TRAINING", float), setting("MAX_MODEL_DAYS", float)
)


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Evaluate: ``{"inference": …}``; return whether the model is to be trained anew."""
    inference = Inference.from_json(event["inference"])
    versions = {each.version: each for each in Champion.read(lake).versions}
    known = versions.get(inference.model_version)
    age = (datetime.now(UTC) - datetime.fromisoformat(known.trained_at)).total_seconds() / 86_400 if known else None
    if age is not None:
        emitter.add(MODEL_AGE, age)
    result = assess(lake, inference, thresholds, known.ndcg_at_training if known else None, age)
    verdict = {"retrain": result.verdict.retrain, "reason": result.verdict.reason}
    logger.info("evaluated", extra={"inference_id": inference.inference_id, **result.metrics, **verdict})
    return verdict
