"""Pull: load a part of an endpoint's rows into the mart."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.mart.loads_postgres import load_part
from sluice.api_pull.mart.part_rows import read_rows
from sluice.api_pull.mart.steps import note_failure
from sluice.api_pull.mart.tables import TABLES, Part
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
    """Load a part of a plan; doing it again writes the same."""
    part = Part(**event)
    try:
        rows = read_rows(lake.read(part.key), part, [*TABLES[part.endpoint].columns])
        loaded = load_part(mart, part.load, part.part, part.endpoint, rows)
    except Exception as error:
        note_failure(lake, part.run, part.endpoint, error)
        raise
    logger.info("loaded", extra={**event, **asdict(loaded)})
    return asdict(loaded)
