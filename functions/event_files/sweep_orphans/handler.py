"""Daily: remove chunk objects that no commit ever named."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import dynamodb, read_settings, s3
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.orphans import sweep
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import MetricsEmitter


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    lake_bucket: str
    ledger_table: str


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
lake = S3ObjectStore(s3(), settings.lake_bucket)
ledger = DynamoLedger(dynamodb(), settings.ledger_table)


@logger.inject_lambda_context
@emitter.publish
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Sweep the days that may hold orphans."""
    removed = sweep(lake, ledger.known_chunks, datetime.now(UTC))
    logger.info("swept", extra={"removed": removed})
    return {"removed": len(removed)}
