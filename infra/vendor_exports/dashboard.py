"""Saved queries and dashboard panels of the vendor's exports."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.platform.functions import PythonFunction
from infra.platform.observability.cloudwatch import HOUR, QUARTER, own
from infra.platform.observability.dashboards import Panels
from infra.platform.observability.saved_queries import Query
from infra.platform.observability.widgets import WHOLE, graph, heading, table, value
from infra.stage import Stage
from sluice.observability.metrics import Metric
from sluice.vendor_exports import metrics
from sluice.vendor_exports.pipeline import PIPELINE

EXPORTS = Query(
    "exports by slot",
    ("record_result",),
    (
        'filter message = "recorded"',
        "fields @timestamp, slot, status, promised, copied, missing, refetched, bytes, cause",
        "sort @timestamp desc",
        "limit 48",
    ),
)
SAVED_QUERIES = (EXPORTS,)


def panels(stage: Stage, functions: Sequence[PythonFunction]) -> Panels:
    """Return what the vendor delivered, how long it took, and what went wrong."""

    def shown(*names: Metric, statistic: str = "Sum") -> list[cloudwatch.Metric]:
        return [own(stage, metric, PIPELINE.name, statistic, QUARTER) for metric in names]

    (delivered,) = shown(metrics.EXPORTS_DELIVERED)
    counts = (metrics.FILES_PROMISED, metrics.FILES_COPIED, metrics.FILES_MISSING, metrics.FILES_REFETCHED)
    phases = shown(metrics.JOB_SECONDS, metrics.COPY_SECONDS, statistic="Maximum")
    refused = shown(metrics.TOKENS_REFUSED, metrics.UNKNOWN_STATUSES)
    return Panels(
        business_figures=[value("Exports delivered", delivered)],
        business=[
            [heading("Vendor exports")],
            [
                graph("Delivered an hour", [delivered.with_(period=HOUR)], width=6),
                graph("Files", shown(*counts), width=6),
                graph("Seconds by phase", phases, width=6, unit="s"),
                graph("Refused and not understood", refused, width=6),
            ],
            [table(EXPORTS, functions, width=WHOLE)],
        ],
    )
