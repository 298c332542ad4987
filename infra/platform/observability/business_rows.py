"""What the business dashboard shows."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.platform.observability import saved_queries as saved
from infra.platform.observability.measures import HOUR, QUARTER, combined, own
from infra.platform.observability.widgets import WHOLE, graph, heading, limit, states, table, value
from infra.platform.python_function import PythonFunction
from infra.stage import Stage
from sluice.contracts.load import load_registry
from sluice.contracts.system_tables import SYSTEM_TABLES
from sluice.observability import metrics
from sluice.observability.metrics import Metric, Pipeline

Row = list[cloudwatch.IWidget]


class BusinessRows:
    """What arrived, how much of it is clean and why not, how fresh the tables are, what the vendor delivered."""

    def __init__(self, stage: Stage, functions: Sequence[PythonFunction], alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Bind what is shown."""
        self._stage = stage
        self._functions = functions
        self._alarms = alarms

    def rows(self) -> list[Row]:
        """Return the rows from top to bottom."""
        return [
            [states("Pipelines", self._alarms)],
            self._figures(),
            [heading("What arrived, and how much of it is clean")],
            self._flow(),
            self._dirt(),
            [heading("Tables")],
            self._tables(),
            [heading("Vendor exports")],
            self._exports(),
            self._slots(),
        ]

    def _figures(self) -> Row:
        return [
            value("Files", self._files(metrics.FILES_VALIDATED)),
            value("Clean, %", self._clean_percent()),
            value("Rows", self._files(metrics.ROWS_CONVERTED)),
            value("Waiting for conversion, s", self._files(metrics.PENDING_AGE, "Maximum"), of_range=False),
            value("Newest row, s", self._files(metrics.NEWEST_ROW_AGE, "Minimum"), of_range=False),
            value("Exports delivered", self._vendor(metrics.EXPORTS_DELIVERED)),
        ]

    def _flow(self) -> Row:
        events = [metrics.EVENTS_CLEAN, metrics.EVENTS_DIRTY, metrics.EVENTS_UNRELATED]
        threshold = limit(self._stage.watch.dirty_percent, "alarm")
        return [
            graph("Files", [self._files(metrics.FILES_VALIDATED), self._files(metrics.FILES_SKIPPED)]),
            graph("Events", [self._files(metric) for metric in events], stacked=True),
            graph("Dirty, % of events", [self._dirty_percent()], unit="%", lines=[threshold]),
        ]

    def _dirt(self) -> Row:
        strange = [self._files(metrics.UNKNOWN_MEMBERS), self._files(metrics.MEDIA_MISSING)]
        return [
            table(saved.DIRTY_REASONS, self._functions, width=16),
            graph("Drift and missing media", strange),
        ]

    def _tables(self) -> Row:
        rows = saved.rows_by_table(table for table in load_registry().tables() if table not in SYSTEM_TABLES)
        return [
            table(saved.FRESHNESS, self._functions, width=6),
            table(rows, self._functions, width=18),
        ]

    def _exports(self) -> Row:
        counts = (metrics.FILES_PROMISED, metrics.FILES_COPIED, metrics.FILES_MISSING, metrics.FILES_REFETCHED)
        phases = [self._vendor(metric, "Maximum") for metric in (metrics.JOB_SECONDS, metrics.COPY_SECONDS)]
        refused = [self._vendor(metrics.TOKENS_REFUSED), self._vendor(metrics.UNKNOWN_STATUSES)]
        delivered = own(self._stage, metrics.EXPORTS_DELIVERED, Pipeline.EXPORTS, period=HOUR)
        return [
            graph("Delivered an hour", [delivered], width=6),
            graph("Files", [self._vendor(metric) for metric in counts], width=6),
            graph("Seconds by phase", phases, width=6, unit="s"),
            graph("Refused and not understood", refused, width=6),
        ]

    def _slots(self) -> Row:
        return [table(saved.EXPORTS, self._functions, width=WHOLE)]

    def _clean_percent(self) -> cloudwatch.IMetric:
        return self._percent_of_events("clean")

    def _dirty_percent(self) -> cloudwatch.IMetric:
        return self._percent_of_events("dirty")

    def _percent_of_events(self, kind: str) -> cloudwatch.IMetric:
        events = {"clean": self._files(metrics.EVENTS_CLEAN), "dirty": self._files(metrics.EVENTS_DIRTY)}
        return combined(f"100 * {kind} / (clean + dirty)", events, f"{kind}, %", QUARTER)

    def _files(self, metric: Metric, statistic: str = "Sum") -> cloudwatch.Metric:
        return own(self._stage, metric, Pipeline.EVENT_FILES, statistic, QUARTER)

    def _vendor(self, metric: Metric, statistic: str = "Sum") -> cloudwatch.Metric:
        return own(self._stage, metric, Pipeline.EXPORTS, statistic, QUARTER)
