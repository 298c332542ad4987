"""State of Convert after the map: compare what went in with what came out, then mark the chunks converted."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, glue, s3, setting
from sluice.event_files.convert.committing import assert_owned, commit, read_plan
from sluice.event_files.convert.leaving_out import leave_out
from sluice.event_files.convert.renewing import renew
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.event_files.metrics import CHUNKS_LEFT_OUT
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.tables_iceberg import IcebergTables
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
files = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
tables = IcebergTables(glue(), setting("DATABASE"), setting("LAKE_BUCKET"))
ledger = DynamoRunLedger(dynamodb(), setting("LEDGER_TABLE"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Commit the run of a plan (``plan_key``) by its `execution`, or plan it again without what cannot be converted."""
    key = event["plan_key"]
    plan = read_plan(files, key)
    assert_owned(plan, event["execution"], ledger)
    if following := leave_out(plan, key, files, tables, ledger) or renew(plan, key, files, tables, ledger):
        key, plan = following
        if plan.groups:
            return {"status": "planned_again", "run_id": plan.run_id, "plan_key": key}
    assert_owned(plan, event["execution"], ledger, key)
    summary = commit(plan, files, tables, ledger)
    ledger.note_newest_hours(summary.newest_hours)
    logger.info("committed", extra=asdict(summary))
    if summary.left_out:
        logger.error("chunks left out", extra={"chunks": summary.left_out})
        emitter.add(CHUNKS_LEFT_OUT, len(summary.left_out))
    return {"status": "planned", "run_id": plan.run_id, "plan_key": key}
