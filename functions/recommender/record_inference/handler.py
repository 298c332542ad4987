"""Infer: write down what became of it."""

from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting, step_functions
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender import metrics
from sluice.recommender.inference import Inference
from sluice.recommender.results import EVALUATION, document_of
from sluice.recommender.training_stepfunctions import start_training

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
retrain_machine = setting("RETRAIN_MACHINE")
_FIGURES = {
    metrics.NDCG: "ndcg_at_10",
    metrics.RECALL: "recall_at_10",
    metrics.HIT_RATE: "hit_rate_at_10",
    metrics.COVERAGE: "coverage",
    metrics.POPULARITY_NDCG: "popularity_ndcg_at_10",
}


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record an inference, and have the model trained anew where it needs it; the event is the machine's state."""
    inference = Inference.from_json(event["inference"])
    evaluation = orjson.loads(lake.read(inference.key(EVALUATION)))
    document = document_of(inference, event["inferred"], evaluation)
    if document["retrain"]:
        start_training(step_functions(), retrain_machine, inference.inference_id, document["reason"])
    lake.write(inference.result_key, orjson.dumps(document))  # last: it makes the inference done
    for metric, name in _FIGURES.items():
        emitter.add(metric, evaluation["metrics"][name])
    emitter.add(metrics.THRESHOLD, document["threshold"])
    if document["day"]["users"]:
        emitter.add(metrics.DAY_NDCG, document["day"]["ndcg_at_10"])
    emitter.add(metrics.USERS_SERVED, document["users"])
    shown = {name: document[name] for name in ("snapshot", "model_version", "users", "recommendations", "retrain")}
    logger.info("recorded", extra={"inference_id": inference.inference_id, **shown, **evaluation["metrics"]})
    return {"key": inference.result_key, **shown}
