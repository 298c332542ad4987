"""Map state of Compact: a group of rewrites of one table, committed together."""

import secrets
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import glue, s3, setting
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.tables.planning import Group
from sluice.tables.rewriting import Compactor
from sluice.tables.table_files_iceberg import IcebergFiles

function = LambdaFunction()
logger = function.logger
files = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
compactor = Compactor(
    files,
    IcebergFiles(glue(), setting("DATABASE"), setting("LAKE_BUCKET")),
    GlueColumns(glue(), setting("DATABASE"), files).schema,
    max_bytes=setting("UNPACKED_BYTES", int),
    unique=setting("UNIQUE_COLUMN"),
)


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Rewrite a group of the plan, unless it is done."""
    group = Group.from_json(event)
    made = compactor.compact(group, secrets.token_hex(4))
    logger.info("group compacted", extra={"run_id": group.run_id, "group_id": group.group_id, "files_made": made})
    return {"group_id": group.group_id, "files_made": made}
