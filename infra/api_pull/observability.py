"""Saved queries, dashboard panels and alarms of the API pulls, and what a person does about each alarm."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.api_pull.settings import ApiPull
from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.platform.observability.alarms import Advice, Alarms, Missing, Periods
from infra.platform.observability.cloudwatch import HOUR, machine_page, of_machine, own
from infra.platform.observability.saved_queries import Query
from infra.platform.observability.widgets import WHOLE, Panels, graph, heading, table, value
from infra.stage import Stage
from sluice.api_pull import metrics
from sluice.api_pull.pipeline import PIPELINE
from sluice.observability.metrics import Metric

PULLS = Query(
    "API pulls",
    'filter message = "recorded"'
    " | fields @timestamp, pull_id, status, clean_tracks, clean_users, clean_listens, dirty_rows, endpoint_restarts,"
    " requests_retried, memory_mb, cause"
    " | sort @timestamp desc | limit 48",
    "record_pull",
)
SAVED_QUERIES = (PULLS,)
_UNTIL_THE_NEXT_DAY = Periods(1, 24)
"""What went wrong with a day's pull stays in sight until the next one."""


def panels(stage: Stage, functions: Sequence[PythonFunction]) -> Panels:
    """Return what came of the pulls, how good it was, and how long it took."""

    def shown(*names: Metric, statistic: str = "Sum") -> list[cloudwatch.Metric]:
        return [own(stage, metric, PIPELINE.name, statistic, HOUR) for metric in names]

    (complete,) = shown(metrics.ENDPOINTS_COMPLETE)
    ends = (metrics.ENDPOINTS_COMPLETE, metrics.ENDPOINTS_HELD, metrics.ENDPOINTS_FAILED)
    quality = (metrics.NULL_VALUES, metrics.ROWS_DIRTY, metrics.UNKNOWN_MEMBERS, metrics.SCHEMA_CHANGES)
    phases = shown(metrics.EXTRACT_SECONDS, metrics.CHECK_SECONDS, statistic="Maximum")
    trouble = (metrics.PULL_RESTARTS, metrics.REQUESTS_RETRIED)
    return Panels(
        business_figures=[value("Endpoints pulled", complete)],
        business=[
            [heading("API pulls")],
            [
                graph("Endpoints by what became of them", shown(*ends), width=8),
                graph("Rows pulled", shown(metrics.ROWS_PULLED), width=8),
                graph("Nulls, dirty rows, schema", shown(*quality), width=8),
            ],
            [
                graph("Seconds by phase of a pull", phases, width=8, unit="s"),
                graph("Started over, sent again", shown(*trouble), width=8),
                graph("Memory of a pull", shown(metrics.MEMORY_USED, statistic="Maximum"), width=8, unit="MB"),
            ],
            [table(PULLS, functions, width=WHOLE)],
        ],
    )


def raise_alarms(alarms: Alarms, machine: Machine, missed_calls: sqs.IQueue) -> None:
    """Raise alarms on all that can go wrong, from the schedule to the mart."""
    alarms.on_letters(
        "PullCallsWaiting",
        [missed_calls],
        "The schedule could not start a pull: its day has no snapshot.",
        (
            "Look at the message in the dead letter queue: what does Step Functions say?",
            "Mend it, usually with `sluice deploy`.",
            "On the same day: `sluice pull`. Then purge the queue.",
        ),
        PULLS,
    )
    alarms.on_failed_runs(
        "PullFailed",
        machine,
        "A pull was partial, failed, ran out of time or was aborted: the mart shows earlier rows of some endpoints.",
        (
            "`sluice runs --kind pull` names the cause of each endpoint.",
            "Find it in the runbook's table, and do what that says.",
            "`sluice pull` on the same day replaces the day's snapshot; that is always harmless.",
        ),
        PULLS,
        periods=_UNTIL_THE_NEXT_DAY,
        period=HOUR,
    )
    _on_held(alarms, machine)
    _on_time(alarms, machine)
    if alarms.stage.settings(ApiPull).schedule:
        _on_absence(alarms, machine)


def _on_held(alarms: Alarms, machine: Machine) -> None:
    held = Advice(
        meaning="The schema of an endpoint changed, or its volume is far off: it is in the lake and not in the mart.",
        steps=(
            "Which endpoint, and what? `sluice runs --kind pull`, or the query.",
            "Is it a fault of the API? Tell who runs it; the next pull takes what is mended.",
            "Is it meant? Change the contract (see the runbook), deploy, and pull again.",
        ),
        console=machine_page(machine),
        query=PULLS,
    )
    endpoints = own(alarms.stage, metrics.ENDPOINTS_HELD, PIPELINE.name, period=HOUR)
    alarms.above("PullHeld", endpoints, 0, held, periods=_UNTIL_THE_NEXT_DAY)


def _on_time(alarms: Alarms, machine: Machine) -> None:
    minutes = alarms.stage.settings(ApiPull).late_minutes
    late = Advice(
        meaning=f"A pull took more than {minutes} minutes.",
        steps=(
            "Which step? `sluice run` of the pull shows the seconds of each.",
            "Waits and requests sent again: the API is slow or busy; tell who runs it.",
            "Started over: its rows change while it is read; have the pull at a quieter hour.",
        ),
        console=machine_page(machine),
        query=PULLS,
    )
    took = of_machine(machine, "ExecutionTime", "Maximum", HOUR)
    alarms.above("PullLate", took, 60_000 * minutes, late, periods=_UNTIL_THE_NEXT_DAY)


def _on_absence(alarms: Alarms, machine: Machine) -> None:
    hours = alarms.stage.settings(ApiPull).absent_hours
    absent = Advice(
        meaning=f"No pull was complete for {hours} hours.",
        steps=(
            "Do pulls run? `sluice status`; is their schedule enabled?",
            "They run and fail: see PullFailed.",
            "Days that are over cannot be had any more: the API has the present rows only.",
        ),
        console=machine_page(machine),
        query=PULLS,
    )
    succeeded = of_machine(machine, "ExecutionsSucceeded", period=HOUR)
    alarms.above(
        "PullAbsent",
        succeeded,
        1,
        absent,
        periods=Periods(hours, hours),
        missing=Missing.BREACHING,
        comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    )
