"""Retrain: register the versions that MLflow does not know yet."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.registry_mlflow import MlflowRegistry

function = LambdaFunction()
logger = function.logger
bucket = setting("LAKE_BUCKET")
registry = MlflowRegistry(S3ObjectStore(s3(), bucket), bucket, setting("MLFLOW_APP"))


@function.observe
def handler(_event: dict[str, Any], _context: LambdaContext) -> Mapping[str, str]:
    """Return the versions by alias."""
    aliases = registry.follow()
    logger.info("registered", extra=dict(aliases))
    return aliases
