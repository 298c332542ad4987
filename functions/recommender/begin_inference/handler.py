"""Infer: find what the mart shows and which model is in production."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.beginning import begin
from sluice.recommender.mart.extracting_postgres import snapshot_of
from sluice.recommender.metrics import MODEL_FAULTS

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
mart = Mart(connector(setting("MART_ENDPOINT", MartAddress.parse), setting("MART_ROLE")))


@function.observe
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Begin an inference; ``decision`` says whether there is anything to do."""
    decision, inference = begin(lake, snapshot_of(mart))
    emitter.add(MODEL_FAULTS, inference.faults if inference else 0)
    logger.info("begun", extra={"decision": decision, **(asdict(inference) if inference else {})})
    return {"decision": decision, "inference": asdict(inference) if inference else {}}
