"""Map state of Convert: one batch of clean lines to Parquet."""

import time
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.adapters.clients import s3
from sluice.adapters.lake import S3Lake
from sluice.adapters.meter import Meter
from sluice.adapters.settings import read_settings
from sluice.contracts.load import load_registry
from sluice.conversion.batches import Converter
from sluice.conversion.model import Batch
from sluice.watching.metrics import BATCH_SECONDS, PARQUET_BYTES, ROWS_CONVERTED


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    lake_bucket: str


logger = Logger()
meter = Meter()
converter = Converter(load_registry(), S3Lake(s3(), read_settings(Settings).lake_bucket))


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Convert one batch of the plan."""
    batch = Batch.from_json(event)
    logger.append_keys(run_id=batch.run_id, batch_id=batch.batch_id)
    begun = time.perf_counter()
    receipt = converter.convert(batch)
    seconds = time.perf_counter() - begun
    meter.add(BATCH_SECONDS, seconds)
    if receipt:
        logger.info("batch converted", extra={**receipt.to_json(), "seconds": round(seconds, 3)})
        meter.add(ROWS_CONVERTED, receipt.rows)
        meter.add(PARQUET_BYTES, receipt.parquet_bytes)
    return {"batch_id": batch.batch_id, "rows": batch.rows}
