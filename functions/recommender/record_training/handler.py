"""Retrain: record what became of the training, and free the lease."""

from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting
from sluice.lake.lease_dynamodb import DynamoLease
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.candidate import Candidate, result_of
from sluice.recommender.metrics import CANDIDATE_NDCG, MODELS_PROMOTED, MODELS_TRAINED
from sluice.recommender.trainings import Training

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
lease = DynamoLease(dynamodb(), setting("TRAININGS_TABLE"), "training")


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record a training; the event is the state of the machine."""
    training = Training.from_json(event["training"])
    candidate = Candidate.read(lake, training.version)
    result = result_of(candidate, promoted=event["promotion"]["promoted"])
    lake.write(training.result_key, orjson.dumps(result))
    lease.release(training.execution)
    emitter.add(MODELS_TRAINED, 1)
    emitter.add(MODELS_PROMOTED, int(result["promoted"]))
    emitter.add(CANDIDATE_NDCG, candidate.metrics["ndcg_at_10"])
    logger.info("recorded", extra={**result, "reason_to_train": training.reason})
    return {"key": training.result_key, **result}
