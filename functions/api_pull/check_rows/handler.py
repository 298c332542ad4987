"""Pull: check the rows of an endpoint, as many parts of them as there is time for."""

import secrets
import time
from typing import Any

import orjson
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.checking import Check
from sluice.api_pull.contracts import contracts
from sluice.api_pull.history import History
from sluice.api_pull.metrics import MEMORY_USED
from sluice.api_pull.model import Pull
from sluice.api_pull.progress import CHECK, EXTRACT, CheckProgress, ExtractProgress
from sluice.api_pull.pulls import StepProgress
from sluice.aws.runtime import glue_reader, peak_memory_mb, s3, setting
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
columns = GlueColumns(glue_reader(), setting("DATABASE"), lake)
last_milliseconds = 1000 * setting("LAST_SECONDS", int)  # for one more part


@function.observe
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with an endpoint: ``{"pull": …, "endpoint": …, "extract_turn": …, "turn": …, "memory_mb": …}``."""
    pull, endpoint = Pull.from_json(event["pull"]), event["endpoint"]
    logger.append_keys(pull_id=pull.pull_id, endpoint=endpoint)
    extracted = StepProgress(lake, pull, endpoint, EXTRACT).read(event["extract_turn"])
    steps = StepProgress(lake, pull, endpoint, CHECK)
    before = steps.read(event["turn"])
    check = Check(
        pull,
        endpoint,
        ExtractProgress.from_json(extracted or {}),
        lake=lake,
        schema=columns.schema(contracts()[endpoint].table),
        history=History.read(lake),
        token=secrets.token_hex(4),
    )
    after = check.proceed(
        CheckProgress.from_json(before) if before else CheckProgress(),
        lambda: context.get_remaining_time_in_millis() > last_milliseconds,
        time.monotonic,
    )
    emitter.add(MEMORY_USED, peak_memory_mb())
    counts = orjson.loads(orjson.dumps(after.counts))
    logger.info("checked", extra={"next_step": after.next_step, "cause": after.cause, "counts": counts})
    memory_mb = max(event["memory_mb"], peak_memory_mb())
    return {"turn": steps.write(event["turn"], after), "memory_mb": memory_mb, "next_step": after.next_step}
