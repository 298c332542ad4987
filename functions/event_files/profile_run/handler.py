"""Last state of Convert: publish the run's profiling log and close the run."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, glue, glue_reader, s3, setting
from sluice.contracts.model import PROFILING_LOG
from sluice.event_files.convert.committing import read_plan
from sluice.event_files.convert.profiling import publish_profile
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.tables_iceberg import IcebergTables
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
files = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
columns = GlueColumns(glue_reader(), setting("DATABASE"), files)
tables = IcebergTables(glue(), setting("DATABASE"), setting("LAKE_BUCKET"))
ledger = DynamoRunLedger(dynamodb(), setting("LEDGER_TABLE"))
searched = bool(setting("SEARCHED"))  # empty where the stage has no search cluster


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Publish the profiling log of a plan's run: ``{"plan_key": …}``."""
    plan = read_plan(files, event["plan_key"])
    key = publish_profile(plan, files, tables, ledger, columns.schema(PROFILING_LOG.name), searched=searched)
    logger.info("published", extra={"run_id": plan.run_id, "key": key})
    return {"run_id": plan.run_id}
