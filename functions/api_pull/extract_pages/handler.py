"""Pull: read pages of an endpoint into the lake, as many as there is time for."""

import secrets
import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.api_pull.contracts import contracts
from sluice.api_pull.extraction import Extraction, Limits
from sluice.api_pull.metrics import MEMORY_USED, REQUESTS_RETRIED
from sluice.api_pull.model import Pull
from sluice.api_pull.progress import EXTRACT, ExtractProgress
from sluice.api_pull.pulls import StepProgress
from sluice.api_pull.source_http import SourceAccess
from sluice.aws.runtime import peak_memory_mb, s3, secrets_manager, setting
from sluice.http.patience import Patience
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics_cloudwatch import LambdaFunction

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
access = SourceAccess(secrets_manager())
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
limits = Limits(
    page_size=setting("PAGE_SIZE", int),
    part_bytes=setting("PART_BYTES", int),
    max_pages=setting("MAX_PAGES", int),
    max_bytes=setting("MAX_BYTES", int),
    max_seconds=setting("MAX_SECONDS", int),
    restarts=setting("RESTARTS", int),
)
patience = Patience(setting("PATIENCE_SECONDS", int), setting("WAIT_SECONDS", int), setting("WAIT_SECONDS", int))
last_milliseconds = 1000 * setting("LAST_SECONDS", int)  # for one more page, with all its attempts, and a part's end


@function.observe
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Go on with an endpoint: ``{"pull": …, "endpoint": …, "turn": …, "memory_mb": …}``."""
    pull, endpoint = Pull.from_json(event["pull"]), event["endpoint"]
    logger.append_keys(pull_id=pull.pull_id, endpoint=endpoint)
    steps = StepProgress(lake, pull, endpoint, EXTRACT)
    found = steps.read(event["turn"])
    before = ExtractProgress.from_json(found) if found else ExtractProgress()
    extraction = Extraction(
        pull,
        endpoint,
        contracts()[endpoint].key,
        source=access.source(pull.source_url),
        lake=lake,
        limits=limits,
        patience=patience,
        token=secrets.token_hex(4),
    )
    after = extraction.proceed(
        before, lambda: context.get_remaining_time_in_millis() > last_milliseconds, time.monotonic
    )
    emitter.add(REQUESTS_RETRIED, after.retries - before.retries)
    emitter.add(MEMORY_USED, peak_memory_mb())
    shown = {"next_step": after.next_step, "wait_seconds": after.wait_seconds}
    logger.info("extracted", extra={**shown, "attempt": after.attempt, "pages": after.pages, "note": after.note})
    memory_mb = max(event["memory_mb"], peak_memory_mb())
    return {"turn": steps.write(event["turn"], after), "memory_mb": memory_mb, **shown}
