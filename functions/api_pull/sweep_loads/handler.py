"""Pull: delete rows of the mart that are not visible any more and that nothing refers to."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.mart.loads_postgres import sweep
from sluice.aws.runtime import setting
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
mart = Mart(connector(setting("MART_ENDPOINT", MartAddress.parse), setting("MART_ROLE")))

_LAST_MILLISECONDS = 60_000  # for one more transaction, with its retries


@function.observe
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Delete as much as there is time for; ``is_over`` says whether all is gone."""
    is_over = sweep(mart, lambda: context.get_remaining_time_in_millis() > _LAST_MILLISECONDS)
    logger.info("swept", extra={"is_over": is_over})
    return {"is_over": is_over}
