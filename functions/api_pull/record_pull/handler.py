"""Pull: record the result and free the lease."""

from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull import metrics
from sluice.api_pull.contracts import ENDPOINTS
from sluice.api_pull.history import History
from sluice.api_pull.model import Pull
from sluice.api_pull.results import document_of, remember, result_of
from sluice.api_pull.run_summary import counts_of
from sluice.aws.runtime import dynamodb, s3, setting
from sluice.lake.lease_dynamodb import DynamoLease
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
lease = DynamoLease(dynamodb(), setting("PULLS_TABLE"), "pull")
_EMITTED = {
    metrics.ENDPOINTS_COMPLETE: "endpoints_complete",
    metrics.ENDPOINTS_HELD: "endpoints_held",
    metrics.ENDPOINTS_FAILED: "endpoints_failed",
    metrics.ROWS_PULLED: "delivered_rows",
    metrics.ROWS_DIRTY: "dirty_rows",
    metrics.NULL_VALUES: "null_values",
    metrics.UNKNOWN_MEMBERS: "unknown_members",
    metrics.SCHEMA_CHANGES: "schema_changes",
    metrics.PULL_RESTARTS: "endpoint_restarts",
}


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the result of a pull; the event is the state of the machine."""
    pull = Pull.from_json(event["pull"])
    result = result_of(pull, event, lake)
    document = document_of(result)
    lake.write(pull.result_key, orjson.dumps(document))
    remember(History.read(lake), pull, result).write(lake)
    lease.release(pull.execution)
    used = [event[endpoint][step]["memory_mb"] for endpoint in ENDPOINTS for step in ("extract", "check")]
    counts = {**counts_of(document), "memory_mb": max(used)}
    for metric, count in _EMITTED.items():
        emitter.add(metric, counts[count])
    logger.info("recorded", extra={"pull_id": pull.pull_id, "status": result.status, "cause": result.cause, **counts})
    return {
        "status": result.status,
        "cause": result.cause,
        "key": pull.result_key,
        "counts": counts,
        "clean": {name: each.clean for name, each in result.endpoints.items()},
        "dirty": {name: dict(each.dirty) for name, each in result.endpoints.items()},
    }
