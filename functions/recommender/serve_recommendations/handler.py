"""Serve: answer what inference wrote, over HTTP."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import setting
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.serving.api_http import build
from sluice.recommender.serving.reading_postgres import PAUSES, TIMEOUT_SECONDS, PostgresReading

function = LambdaFunction()
connect = connector(setting("MART_ENDPOINT", MartAddress.parse), setting("MART_ROLE"), timeout_seconds=TIMEOUT_SECONDS)
api = build(PostgresReading(Mart(connect, PAUSES)), function.logger, setting("AUTHORISATION"))


@function.observe
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request of API Gateway."""
    return api.resolve(event, context)
