"""Infer: let the recommendations, and their evaluation, be those of their day in the lake."""

from datetime import date
from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import glue, s3, setting
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.partitions_iceberg import IcebergPartitions
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.recommender.inference import Inference
from sluice.recommender.lake_tables import EVALUATIONS, RECOMMENDATIONS, read_part, write_rows
from sluice.recommender.results import EVALUATION, figures_of, recommended_key

function = LambdaFunction()
logger = function.logger
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
columns = GlueColumns(glue(), setting("DATABASE"), lake)
tables = IcebergPartitions(glue(), setting("DATABASE"), setting("LAKE_BUCKET"))


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Keep what was inferred: ``{"inference": …, "parts": n}``."""
    inference = Inference.from_json(event["inference"])
    schema = columns.schema(RECOMMENDATIONS.name)
    files = [
        write_rows(lake, RECOMMENDATIONS, schema, inference, part, read_part(lake, recommended_key(inference, part)))
        for part in range(event["parts"])
    ]
    figures = figures_of(orjson.loads(lake.read(inference.key(EVALUATION))))
    row = {name: [value] for name, value in figures.items()}
    evaluated = write_rows(lake, EVALUATIONS, columns.schema(EVALUATIONS.name), inference, 0, row)
    day = {"snapshot_date": date.fromisoformat(inference.snapshot)}
    tables.replace_partition(RECOMMENDATIONS.name, inference.inference_id, day, files)
    tables.replace_partition(EVALUATIONS.name, inference.inference_id, day, [evaluated])
    logger.info("kept", extra={"inference_id": inference.inference_id, "files": len(files)})
    return {"files": len(files)}
