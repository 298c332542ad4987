"""Daily: remove chunk objects that no commit ever named."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, s3, setting
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.orphans import sweep
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
ledger = DynamoLedger(dynamodb(), setting("LEDGER_TABLE"))


@function.observe
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Sweep the days that may hold orphans."""
    removed = sweep(lake, ledger.known_chunks, datetime.now(UTC))
    logger.info("swept", extra={"removed": removed})
    return {"removed": len(removed)}
