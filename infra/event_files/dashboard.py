"""Saved queries and dashboard panels of event files."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.event_files.settings import EventFiles
from infra.platform.functions import PythonFunction
from infra.platform.observability.cloudwatch import QUARTER, combined, own
from infra.platform.observability.dashboards import Panels
from infra.platform.observability.saved_queries import Query
from infra.platform.observability.widgets import PERCENTILES, graph, heading, limit, table, value
from infra.stage import Stage
from sluice.contracts.load import load_registry
from sluice.contracts.model import SYSTEM_TABLES, Table
from sluice.event_files import metrics
from sluice.event_files.ledger.model import Reason
from sluice.event_files.pipeline import PIPELINE
from sluice.observability.metrics import Metric

# A line of the log is one member deep in Logs Insights' eyes: counts by reason are members by name.
# The source is the part of a key before its date: a folder, or the name of a stream.
_SOURCE = r"parse key /^(?<source>.*?)[\/-]?\d{4}[\/-]\d{2}[\/-]\d{2}[\/-]/"
_BY_REASON = ", ".join(f"sum(reasons.{reason}) as {reason}" for reason in Reason)

DIRTY_REASONS = Query(
    "dirty reasons by source",
    ("validate_files",),
    (
        'filter message = "file" and dirty > 0',
        _SOURCE,
        f"stats sum(dirty) as dirty_events, count(*) as files, {_BY_REASON} by source",
        "sort dirty_events desc",
    ),
)
SLOWEST_FILES = Query(
    "slowest files",
    ("validate_files",),
    (
        'filter message = "file"',
        "fields @timestamp, key, seconds, bytes, events",
        "sort seconds desc",
        "limit 50",
    ),
)
DUPLICATES = Query(
    "duplicates skipped",
    ("validate_files",),
    (
        'filter message = "object known already"',
        "stats count(*) as announcements, latest(@timestamp) as last_seen by key",
        "sort announcements desc",
        "limit 100",
    ),
)
FRESHNESS = Query(
    "freshness by table",
    ("probe_lag",),
    (
        'filter message = "lag"',
        "stats latest(newest_row_age) / 3600 as hours_behind by table",
        "sort hours_behind desc",
    ),
)
SAVED_QUERIES = (DIRTY_REASONS, SLOWEST_FILES, DUPLICATES, FRESHNESS)


def rows_by_table(tables: Iterable[Table]) -> Query:
    """Return the query of the rows that conversions wrote, a column for each table."""
    sums = ", ".join(f"sum(rows.{table.name}) as {table.name}" for table in tables)
    return Query(
        "rows by table",
        ("commit_conversion",),
        ('filter message = "committed"', f"stats {sums} by bin(1h)"),
    )


def panels(stage: Stage, functions: Sequence[PythonFunction]) -> Panels:
    """Return what arrived, how much of it is clean and why not, how fresh the tables are, and how fast it went."""

    def shown(*names: Metric, statistic: str = "Sum") -> list[cloudwatch.Metric]:
        return [own(stage, metric, PIPELINE.name, statistic, QUARTER) for metric in names]

    (files, rows, failed) = shown(metrics.FILES_VALIDATED, metrics.ROWS_CONVERTED, metrics.FILES_FAILED)
    (pending,), (newest,) = (
        shown(metrics.PENDING_AGE, statistic="Maximum"),
        shown(metrics.NEWEST_ROW_AGE, statistic="Minimum"),
    )
    events = shown(metrics.EVENTS_CLEAN, metrics.EVENTS_DIRTY, metrics.EVENTS_UNRELATED)
    threshold = limit(stage.settings(EventFiles).dirty_percent, "alarm")
    seconds = [metric.with_(label=p) for p in PERCENTILES for metric in shown(metrics.BATCH_SECONDS, statistic=p)]
    return Panels(
        business_figures=[
            value("Files", files),
            value("Clean, %", _percent("clean", stage)),
            value("Rows", rows),
            value("Waiting for conversion, s", pending, of_range=False),
            value("Newest row, s", newest, of_range=False),
        ],
        business=[
            [heading("Event files: what arrived, and how much of it is clean")],
            [
                graph("Files", [files, *shown(metrics.FILES_SKIPPED)]),
                graph("Events", events, stacked=True),
                graph("Dirty, % of events", [_percent("dirty", stage)], unit="%", lines=[threshold]),
            ],
            [
                table(DIRTY_REASONS, functions, width=16),
                graph("Unknown members and missing media", shown(metrics.UNKNOWN_MEMBERS, metrics.MEDIA_MISSING)),
            ],
            [heading("Event files: tables")],
            [table(FRESHNESS, functions, width=6), table(rows_by_table(_tables()), functions, width=18)],
        ],
        operations_figures=[value("Files that come again", failed)],
        operations=[
            [heading("Event files")],
            [
                graph("Seconds a group of batches takes", seconds, unit="s"),
                graph("Bytes read and written", shown(metrics.BYTES_READ, metrics.PARQUET_BYTES)),
                table(SLOWEST_FILES, functions, width=8),
            ],
        ],
    )


def _percent(kind: str, stage: Stage) -> cloudwatch.IMetric:
    events = {
        "clean": own(stage, metrics.EVENTS_CLEAN, PIPELINE.name, period=QUARTER),
        "dirty": own(stage, metrics.EVENTS_DIRTY, PIPELINE.name, period=QUARTER),
    }
    return combined(f"100 * {kind} / (clean + dirty)", events, f"{kind}, %", QUARTER)


def _tables() -> Iterable[Table]:
    return (table for table in load_registry().tables() if table not in SYSTEM_TABLES)
