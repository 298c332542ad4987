"""Profiling logs of runs, and a search cluster that takes them without pauses."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from sluice.contracts.load import load_registry
from sluice.contracts.model import PROFILING_LOG
from sluice.lake.object_store import parquet_key
from sluice.lake.parquet import arrow_schema, to_parquet
from sluice.search.cluster import RetryPolicy
from sluice.search.cluster_opensearch import OpenSearchCluster
from sluice.search.indices import Indices
from sluice.search.loading import BulkLoader, Document

STAGE = "e2e-test"
DVAULTS, EVENT_FILES = "dvault_logs_e2e-test", "event_file_logs_e2e-test"
INDICES = Indices(load_registry(), STAGE)
JANUARY = datetime(2026, 1, 31, 12, tzinfo=UTC)
BROKEN = '{"RULE_BROKEN":{"/detail/evaluation/tags/0":["\'secret\' is not of type \'integer\'"]}}'


def record(number: int, *, run_id: str = "run", **members: Any) -> dict[str, Any]:
    """A row of the profiling log."""
    return {
        "workflow_run_id": run_id,
        "timestamp": JANUARY,
        "event_id": f"event-{number}",
        "passed": True,
        "event_filename": f"files/{number}.json",
        "service_name": ("STE", "MICROONE")[number % 2],
        "service_type": "EVENT",
        "errors": "{}",
        **members,
    }


def records(count: int, **members: Any) -> list[dict[str, Any]]:
    return [record(number, **members) for number in range(count)]


def profile(rows: Iterable[dict[str, Any]]) -> bytes:
    """The profiling log of a run."""
    return to_parquet(pa.Table.from_pylist(list(rows), arrow_schema(PROFILING_LOG.columns)))


def profile_key(run_id: str) -> str:
    return parquet_key(PROFILING_LOG.name, "2026-01-31T12", run_id)


def retries(seconds_left: float = 600.0) -> RetryPolicy:
    """Four attempts without pauses."""
    return RetryPolicy(lambda: seconds_left, attempts=4, first_seconds=0)


def cluster_at(url: str, service: str = "es", timeout_seconds: float = 0.5) -> OpenSearchCluster:
    return OpenSearchCluster(url, f"{url}/_dashboards", service, timeout_seconds)


class Sent(NamedTuple):
    """Documents that are settled, and refusals by kind of error."""

    settled: int
    refused: Counter[str]


def sent_by(loader: BulkLoader, documents: Iterable[Document]) -> Sent:
    batches = list(loader.send(documents))
    return Sent(sum(settled for settled, _ in batches), sum((refused for _, refused in batches), Counter()))
