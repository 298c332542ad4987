"""Infer: load recommendations into the mart, as many parts as there is time for, show them, delete what is old."""

from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.inference import Inference
from sluice.recommender.mart.loading_postgres import load
from sluice.recommender.results import EVALUATION, figures_of

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
mart = Mart(connector(setting("MART_ENDPOINT", MartAddress.parse), setting("MART_ROLE")))

_LAST_MILLISECONDS = 120_000  # for one more part, with its retries


@function.observe
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on loading: ``{"inference": …, "turn": n, "recommended_parts": n, "similar_parts": n}``."""
    inference = Inference.from_json(event["inference"])
    figures = figures_of(orjson.loads(lake.read(inference.key(EVALUATION))))
    parts = (event["recommended_parts"], event["similar_parts"])
    loaded = load(
        lake,
        mart,
        inference,
        figures,
        parts,
        event["turn"],
        lambda: context.get_remaining_time_in_millis() > _LAST_MILLISECONDS,
    )
    logger.info("loaded", extra={"inference_id": inference.inference_id, **loaded})
    return loaded
