"""After a run of Convert: loads every profiling log that is still missing into the search cluster."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import read_settings, s3
from sluice.contracts.load import load_registry
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics import SEARCH_FAILED
from sluice.observability.metrics_cloudwatch import MetricsEmitter
from sluice.search.cluster import RetryPolicy
from sluice.search.cluster_opensearch import OpenSearchCluster, SearchSettings
from sluice.search.indices import Indices
from sluice.search.loading import SearchLoader
from sluice.search.pending import mark_again

_SECONDS_TO_END = 75  # after the last attempt: it may take as long as a request may


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the stage."""

    stage: str
    lake_bucket: str
    hold_minutes: int
    retention_days: int


logger = Logger()
emitter = MetricsEmitter()
settings = read_settings(Settings)
lake = S3ObjectStore(s3(), settings.lake_bucket)
cluster = OpenSearchCluster(read_settings(SearchSettings))
indices = Indices(load_registry(), settings.stage)


def _now() -> datetime:
    return datetime.now(UTC)


@logger.inject_lambda_context
@emitter.publish
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Load what is pending; with ``{"reload_days": N}`` everything published in the last N days first becomes so."""
    days = event.get("reload_days")
    if days:
        logger.info("marked again", extra={"runs": mark_again(lake, _now() - timedelta(days=days))})
    loader = SearchLoader(
        lake=lake,
        cluster=cluster,
        policy=RetryPolicy(lambda: context.get_remaining_time_in_millis() / 1000 - _SECONDS_TO_END),
        indices=indices,
        hold=timedelta(minutes=settings.hold_minutes),
        retention_days=settings.retention_days,
        now=_now,
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
