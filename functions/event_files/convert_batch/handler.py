"""Map state of Convert: a group of batches of clean lines to Parquet, one after the other."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import glue_reader, s3, setting
from sluice.contracts.load import load_registry
from sluice.event_files.convert.batches import Converter
from sluice.event_files.convert.model import BatchGroup, Receipt
from sluice.event_files.metrics import BATCH_SECONDS, ROWS_CONVERTED
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
files = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
columns = GlueColumns(glue_reader(), setting("DATABASE"), files)
converter = Converter(load_registry(), files, columns.schema, new_token=lambda: secrets.token_hex(4))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Convert a group of the plan, unless it is converted already; note the chunks of it that cannot be read."""
    group = BatchGroup.from_json(event)
    logger.append_keys(run_id=group.run_id, group_id=group.group_id)
    begun = time.perf_counter()
    try:
        converted = converter.convert(group)
    except Exception:
        logger.exception("group not converted")  # Lambda hands on the last of a chain of errors only
        raise
    seconds = time.perf_counter() - begun
    emitter.add(BATCH_SECONDS, seconds)
    for chunk in converted.left_out:
        logger.error("chunk not read", extra=asdict(chunk))
    if converted.receipts:
        _report(converted.receipts, seconds)
    return {
        "batches": [batch.batch_id for batch in group.batches],
        "rows": sum(batch.rows for batch in group.batches),
        "left_out": len(converted.left_out),
    }


def _report(receipts: Sequence[Receipt], seconds: float) -> None:
    rows = sum(receipt.rows for receipt in receipts)
    size = sum(receipt.parquet_bytes for receipt in receipts)
    counted = {"batches": len(receipts), ROWS_CONVERTED.name: rows, "parquet_bytes": size}
    logger.info("group converted", extra={**counted, "seconds": round(seconds, 3)})
    emitter.add(ROWS_CONVERTED, rows)
