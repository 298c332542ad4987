"""Pull: ask whether the API is well."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.model import Pull
from sluice.api_pull.source_http import SourceAccess
from sluice.aws.runtime import secrets_manager
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
access = SourceAccess(secrets_manager())


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Ask the API of a pull (``{"pull": …}``) for its description; trouble that does not pass is an error."""
    pull = Pull.from_json(event["pull"])
    access.source(pull.source_url).greet()
    logger.info("answered", extra={"pull_id": pull.pull_id})
    return {"is_well": True}
