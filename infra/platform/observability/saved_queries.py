"""Queries of Logs Insights: saved for people, and the tables of the dashboards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.platform.observability.on_aws import OnAws
from infra.platform.python_function import PythonFunction
from infra.stage import Stage
from sluice.contracts.model import Table
from sluice.event_files.validate.reasons import Reason

_ALL: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A query over the logs of some functions, named by their folders; of all where none is named."""

    title: str
    folders: tuple[str, ...]
    lines: tuple[str, ...]

    def log_groups(self, functions: Iterable[PythonFunction]) -> list[str]:
        """Return the names of the log groups it reads."""
        read = [function for function in functions if not self.folders or function.folder in self.folders]
        return [function.log_group.log_group_name for function in read]


# A line of the log is one member deep in Logs Insights' eyes: counts by reason are members by name.
# What stands before the date in a key: a folder, or the name of a stream.
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
ONE_RUN = Query(
    "one run by id",
    _ALL,
    (
        'filter run_id = "put the id here" or slot = "or an export\'s slot"',
        "fields @timestamp, service, level, message, status, turn, table, rows, seconds, reason, @message",
        "sort @timestamp",
    ),
)
COLD_STARTS = Query(
    "cold starts",
    _ALL,
    (
        'filter type = "platform.report" and ispresent(record.metrics.initDurationMs)',
        (
            "stats count(*) as starts, pct(record.metrics.initDurationMs, 50) as p50_ms, "
            "max(record.metrics.initDurationMs) as slowest_ms by @log"
        ),
        "sort starts desc",
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
ERRORS = Query(
    "last errors",
    _ALL,
    (
        'filter level in ["ERROR", "CRITICAL"] or type = "platform.runtimeDone" and record.status != "success"',
        "fields @timestamp, service, message, key, reason, exception_name, record.status, @message",
        "sort @timestamp desc",
        "limit 50",
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
EXPORTS = Query(
    "exports by slot",
    ("record_result",),
    (
        'filter message = "closed"',
        "fields @timestamp, slot, status, promised, copied, missing, refetched, bytes, cause",
        "sort @timestamp desc",
        "limit 48",
    ),
)
SAVED = (DIRTY_REASONS, SLOWEST_FILES, ONE_RUN, COLD_STARTS, DUPLICATES, ERRORS, FRESHNESS, EXPORTS)


def rows_by_table(tables: Iterable[Table]) -> Query:
    """The rows that conversions wrote, a column for each of the contracts' tables that may have any."""
    sums = ", ".join(f"sum(rows.{table.name}) as {table.name}" for table in tables)
    return Query(
        "rows by table",
        ("commit_conversion",),
        ('filter message = "committed"', f"stats {sums} by bin(1h)"),
    )


def name(stage: Stage, query: Query) -> str:
    """What the console lists the query under: a folder per stage."""
    return f"{stage.stack_prefix}/{query.title}"


class SavedQueries(Construct):
    """Every query people look for, in the console's list."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        on_aws: OnAws,
        functions: Sequence[PythonFunction],
    ) -> None:
        """Save those that have a log to read."""
        super().__init__(scope, construct_id)
        for query in SAVED:
            groups = query.log_groups(functions)
            logs.CfnQueryDefinition(
                self,
                query.title.title().replace(" ", ""),
                name=name(stage, query),
                query_string="\n| ".join(query.lines),
                log_group_names=groups,
            )
        on_aws.only(self)
