"""Last state of Compact: delete what nothing refers to, forget old snapshots, sum up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import glue, s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.tables.planning import Plan
from sluice.tables.table_files_iceberg import IcebergFiles
from sluice.tables.upkeep import finish

function = LambdaFunction()
logger = function.logger
files = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
tables = IcebergFiles(glue(), setting("DATABASE"), setting("LAKE_BUCKET"))
kept, grace = timedelta(days=setting("SNAPSHOT_DAYS", int)), timedelta(days=setting("GRACE_DAYS", int))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Finish the run of a plan (``plan_key``)."""
    planned = Plan.from_json(orjson.loads(files.read(event["plan_key"])))
    summary = finish(planned, files, tables, datetime.now(UTC), kept=kept, grace=grace)
    counts = summary.counts
    logger.info("finished", extra={"run_id": planned.run_id, "left": summary.left, **counts})
    status = "compacted" if planned.groups else "nothing_to_do"
    return {"status": status, "run_id": planned.run_id, **counts}
