"""First state of Compact: plan which files of which tables become fewer."""

import secrets
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import glue, s3, setting
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.tables.planning import plan_key
from sluice.tables.table_files_iceberg import IcebergFiles
from sluice.tables.upkeep import new_run_id, plan

function = LambdaFunction()
logger = function.logger
files = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
tables = IcebergFiles(glue(), setting("DATABASE"), setting("LAKE_BUCKET"))
target_bytes, whole_hours = setting("TARGET_BYTES", int), bool(setting("UNIQUE_COLUMN"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Plan a run for the `tables` of the input, or for all."""
    run_id = new_run_id(datetime.now(UTC), secrets.token_hex(4))
    wanted = event.get("tables", ())
    planned = plan(files, tables, wanted, run_id, target_bytes=target_bytes, whole_hours=whole_hours)
    counts = {"groups": len(planned.groups), "rewrites": sum(len(group.rewrites) for group in planned.groups)}
    logger.info("planned", extra={"run_id": run_id, **counts})
    status = "planned" if planned.groups else "nothing_to_do"
    return {"status": status, "run_id": run_id, "plan_key": plan_key(run_id)}
