"""Map state of Convert: a group of batches of clean lines to Parquet, one after the other."""

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
from sluice.conversion.model import Batch, BatchGroup
from sluice.watching.metrics import BATCH_SECONDS, PARQUET_BYTES, ROWS_CONVERTED


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    lake_bucket: str


class BatchError(Exception):
    """A batch was not converted; those before it in its group are, and are not done again."""


logger = Logger()
meter = Meter()
converter = Converter(load_registry(), S3Lake(s3(), read_settings(Settings).lake_bucket))


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Convert what of a group of the plan is not converted yet."""
    batches = BatchGroup.from_json(event).batches
    for batch in batches:
        logger.append_keys(run_id=batch.run_id, batch_id=batch.batch_id)
        _convert(batch)
    return {"batches": [batch.batch_id for batch in batches], "rows": sum(batch.rows for batch in batches)}


def _convert(batch: Batch) -> None:
    begun = time.perf_counter()
    try:
        receipt = converter.convert(batch)
    except Exception as error:
        logger.exception("batch not converted")  # Lambda hands on the last of a chain of errors only
        raise BatchError(f"{batch.batch_id} of run {batch.run_id}: {error}") from error
    seconds = time.perf_counter() - begun
    meter.add(BATCH_SECONDS, seconds)
    if receipt:
        logger.info("batch converted", extra={**receipt.to_json(), "seconds": round(seconds, 3)})
        meter.add(ROWS_CONVERTED, receipt.rows)
        meter.add(PARQUET_BYTES, receipt.parquet_bytes)
