"""Pull: begin the load of the next endpoint into the mart."""

from dataclasses import asdict
from datetime import date
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.mart.loads_postgres import begin
from sluice.api_pull.mart.steps import begin_next
from sluice.api_pull.model import Pull
from sluice.aws.runtime import s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.mart.connection_postgres import Mart, MartAddress, connector
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
mart = Mart(connector(setting("MART_ENDPOINT", MartAddress.parse), setting("MART_ROLE")))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Begin the load of an endpoint that was not looked at yet: ``{"pull": …, "turn": …}``."""
    pull = Pull.from_json(event["pull"])
    snapshot = date.fromisoformat(pull.snapshot_date)
    begun = begin_next(pull, event["turn"], lake, lambda *load: begin(mart, pull.pull_id, snapshot, *load))
    logger.info("begun", extra={"pull_id": pull.pull_id, **asdict(begun)})
    return asdict(begun)
