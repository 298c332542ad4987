"""Metrics: their namespace, those of every pipeline, and those of the platform's own functions.

Each pipeline lists its own. All have the dimensions ``stage`` and ``pipeline``: each pair of values is a metric that is
paid for by the hour, so file names, runs and tables are members of the log, not dimensions.
"""

from dataclasses import dataclass

NAMESPACE = "Sluice"

PLATFORM = "platform"
"""The dimension ``pipeline`` of functions that serve every pipeline."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: `unit` in CloudWatch's words. A `rare` one is emitted only when there is something to count."""

    name: str
    unit: str
    doc: str
    rare: bool = False


RETRIES = Metric("Retries", "Count", "Attempts of a machine's steps that failed.", rare=True)
COLD_STARTS = Metric("ColdStarts", "Count", "Function environments that were started.")
SEARCH_FAILED = Metric("SearchFailed", "Count", "Runs whose profiling log the cluster did not take.", rare=True)

PIPELINE_METRICS = (RETRIES, COLD_STARTS)
"""Metrics of every pipeline, besides its own."""

PLATFORM_METRICS = (SEARCH_FAILED,)
"""Metrics of the pipeline `PLATFORM`."""
