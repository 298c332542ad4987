"""After a run of Convert: loads every profiling log that is still missing into the search cluster."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting
from sluice.contracts.load import load_registry
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics import SEARCH_FAILED
from sluice.observability.metrics_cloudwatch import LambdaFunction
from sluice.search.cluster import RetryPolicy
from sluice.search.cluster_opensearch import OpenSearchCluster
from sluice.search.indices import Indices
from sluice.search.loading import SearchLoader
from sluice.search.pending import mark_again

_SECONDS_TO_END = 75  # after the last attempt: it may take as long as a request may

function = LambdaFunction()
logger, emitter = function.logger, function.emitter
lake = S3ObjectStore(s3(), setting("LAKE_BUCKET"))
cluster = OpenSearchCluster(setting("SEARCH_URL"), setting("BOARDS_URL"), setting("SEARCH_SERVICE"))
hold = timedelta(minutes=setting("HOLD_MINUTES", int))
retention_days = setting("RETENTION_DAYS", int)
indices = Indices(load_registry(), setting("STAGE"))
now = partial(datetime.now, UTC)


@function.observe
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Load what is pending; with ``{"reload_days": N}`` everything published in the last N days first becomes so."""
    days = event.get("reload_days")
    if days:
        logger.info("marked again", extra={"runs": mark_again(lake, now() - timedelta(days=days))})
    loader = SearchLoader(
        lake=lake,
        cluster=cluster,
        policy=RetryPolicy(lambda: context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END),
        indices=indices,
        hold=hold,
        retention_days=retention_days,
        now=now,
    )
    report = loader.run(at_once=bool(days))
    emitter.add(SEARCH_FAILED, report.failed)
    counts = {"runs": report.runs, "documents": report.documents, "waiting": report.waiting}
    if report.failed:
        logger.error(
            "search does not hold everything",
            extra={**counts, "refused": dict(report.refused), "error": report.error},
        )
    else:
        logger.info("loaded", extra=counts)
    return counts
