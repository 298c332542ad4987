"""Queries of Logs Insights: saved for people, and the tables of the dashboards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.stage_stack import stage_of
from infra.stage import Stage


@dataclass(frozen=True, slots=True)
class Query:
    """A query over the logs of the function of a folder, or of all; ` | ` stands between its commands."""

    title: str
    text: str
    folder: str = ""

    @property
    def lines(self) -> list[str]:
        """Its commands."""
        return self.text.split(" | ")

    def log_groups(self, functions: Iterable[PythonFunction]) -> list[str]:
        """Return the names of the log groups it reads."""
        read = [function for function in functions if self.folder in {"", function.folder}]
        return [function.log_group.log_group_name for function in read]

    def name(self, stage: Stage) -> str:
        """Return its name in the console's list: in a folder per stage."""
        return f"{stage.stack_name}/{self.title}"


ONE_RUN = Query(
    "one run by id",
    'filter @message like "put the id of a run here, or its slot"'
    " | fields @timestamp, service, level, message, status, next_step, table, rows, seconds, reason, @message"
    " | sort @timestamp",
)
COLD_STARTS = Query(
    "cold starts",
    'filter type = "platform.report" and ispresent(record.metrics.initDurationMs)'
    " | stats count(*) as starts, pct(record.metrics.initDurationMs, 50) as p50_ms, "
    "max(record.metrics.initDurationMs) as slowest_ms by @log"
    " | sort starts desc",
)
ERRORS = Query(
    "last errors",
    'filter level in ["ERROR", "CRITICAL"] or type = "platform.runtimeDone" and record.status != "success"'
    " | fields @timestamp, service, message, key, reason, exception_name, record.status, @message"
    " | sort @timestamp desc | limit 50",
)
OF_ALL = (ONE_RUN, COLD_STARTS, ERRORS)
"""Queries over the logs of every function."""


def save_queries(scope: Construct, queries: Iterable[Query], functions: Sequence[PythonFunction]) -> None:
    """Add queries to the console's list."""
    for query in queries:
        logs.CfnQueryDefinition(
            scope,
            query.title.title().replace(" ", ""),
            name=query.name(stage_of(scope)),
            query_string="\n| ".join(query.lines),
            log_group_names=query.log_groups(functions),
        )
