"""Pull: make visible what was loaded whole."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.mart.loads_postgres import publish, visible_rows
from sluice.api_pull.mart.steps import causes_of
from sluice.api_pull.mart.tables import LISTENS, TRACKS, USERS
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
    """Publish the loads of a pull: ``{"pull": …}``; return what is visible now, and why others are not."""
    pull = Pull.from_json(event["pull"])
    published = publish(mart, pull.pull_id)
    rows = visible_rows(mart)
    visible = {"tracks": rows[TRACKS], "users": rows[USERS], "listens": rows[LISTENS]}
    logger.info("published", extra={"pull_id": pull.pull_id, "endpoints": published, **visible})
    return {"published": published, "causes": causes_of(lake, pull.pull_id, published), **visible}
