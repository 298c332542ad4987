"""Pull: let the rows of an endpoint be the day's in its table of the lake."""

from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.keeping import keep
from sluice.api_pull.model import Pull
from sluice.aws.runtime import glue, s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.partitions_iceberg import IcebergPartitions
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
tables = IcebergPartitions(glue(), setting("DATABASE"), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Keep an endpoint that was checked: ``{"pull": …, "endpoint": …, "turn": …}``."""
    pull, endpoint = Pull.from_json(event["pull"]), event["endpoint"]
    kept = keep(pull, endpoint, event["turn"], lake, tables)
    logger.info("kept", extra={"pull_id": pull.pull_id, "endpoint": endpoint, **orjson.loads(orjson.dumps(kept))})
    return {"files": kept.files, "rows": kept.rows, "is_good": kept.is_good}
