"""Every few minutes: measure the lag of the lake."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, setting
from sluice.event_files.ledger.model import lag
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.event_files.metrics import NEWEST_ROW_AGE, PENDING_AGE
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
ledger = DynamoRunLedger(dynamodb(), setting("LEDGER_TABLE"))


@function.observe
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Measure the lake; the ages by table are members of the log, one line each."""
    found = lag(ledger.oldest_pending(), ledger.newest_hours(), datetime.now(UTC))
    emitter.add(PENDING_AGE, found.pending)
    if found.newest_row is not None:
        emitter.add(NEWEST_ROW_AGE, found.newest_row)
    for table, age in found.tables.items():
        logger.info("lag", extra={"table": table, "newest_row_age": age})
    return {"pending_age": found.pending, "newest_row_age": found.newest_row}
