"""Infer, Retrain: read users, tracks and listens from the mart, all of one moment."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.inference import INFER, OVERTAKEN, Inference, Snapshot
from sluice.recommender.mart.extracting_postgres import extract

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
mart = Mart(connector(setting("MART_ENDPOINT", MartAddress.parse), setting("MART_ROLE")))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Extract what an inference needs: ``{"inference": …}``; the mart may show another day by now."""
    inference = Inference.from_json(event["inference"])
    found = extract(mart, Snapshot(inference.snapshot, inference.published_at))
    if found is None:
        logger.info("overtaken", extra={"inference_id": inference.inference_id})
        return {"decision": OVERTAKEN}
    for name, values in found.items():
        lake.write(inference.key(f"{name}.i64"), values.tobytes())
    counts = {name: len(values) for name, values in found.items()}
    logger.info("extracted", extra={"inference_id": inference.inference_id, **counts})
    return {"decision": INFER, **counts}
