"""`sluice status`: how a stage is doing, at a glance."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pkgutil import resolve_name

from rich.markup import escape
from rich.table import Table

from cli.platform.console import JsonOption, handled, nowrap_column, out, print_tables, say_json, table, wrapped_column
from cli.platform.registry import PipelineStatus, pipelines
from cli.platform.runs import records_of, run_table
from cli.platform.session import LOCAL, Deployment, StageOption, connect

RUNS = 5
_THREADS = 8

ALARM, INSUFFICIENT_DATA, OK = _URGENCY = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue, by its physical name; one of dead letters has no dead letter queue itself."""

    name: str
    waiting: int
    in_flight: int
    dead_letters: bool


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm, its state, and the reason CloudWatch gives."""

    name: str
    state: str
    reason: str


@handled
def status(stage: StageOption = LOCAL, as_json: JsonOption = False) -> None:
    """Show what waits, the last runs and exports, the dirty events and the alarms.

    Alarms are CloudWatch's: they are evaluated on AWS, not on the stage local.

    Examples:
        sluice status
        sluice status --stage prd --json | jq .backlog
    """
    deployment = connect(stage)
    parts: list[PipelineStatus] = [resolve_name(each.status)(deployment) for each in pipelines() if each.status]
    runs = records_of(deployment).recent(datetime.now(UTC), RUNS)
    queues, alarms = queue_states(deployment), alarm_states(deployment)
    if as_json:
        shared = {"runs": runs, "queues": queues, "alarms": alarms}
        say_json({name: value for part in (*(each.members for each in parts), shared) for name, value in part.items()})
        return
    for line in (line for part in parts for line in part.lines):
        out.print(line, highlight=False)
    print_tables(
        {
            "Dead letters": _queue_table((each for each in queues if each.dead_letters), deployment.prefix, "red"),
            "Queues": _queue_table((each for each in queues if not each.dead_letters), deployment.prefix, "default"),
            "Alarms": _alarm_table(alarms, deployment.prefix),
            "Last runs": run_table(runs),
        }
    )
    for part in parts:
        print_tables(part.tables)
    if deployment.local:
        out.print("Alarms: evaluated on AWS only")
    elif alarms:
        out.print(_alarm_summary(alarms), highlight=False)


def queue_states(deployment: Deployment) -> list[QueueState]:
    """Return every queue of the stage's stacks, ordered by name."""
    pages = deployment.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=deployment.prefix)
    urls = [url for page in pages for url in page.get("QueueUrls", []) if deployment.owns(url.rpartition("/")[2])]
    with ThreadPoolExecutor(_THREADS) as threads:
        return sorted(threads.map(lambda url: queue_state(deployment, url), urls), key=lambda queue: queue.name)


def queue_state(deployment: Deployment, url: str) -> QueueState:
    """Return the state of a queue."""
    found = deployment.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return QueueState(
        name=url.rpartition("/")[2],
        waiting=int(found["ApproximateNumberOfMessages"]),
        in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
        dead_letters="RedrivePolicy" not in found,
    )


def alarm_states(deployment: Deployment) -> list[AlarmState]:
    """Return the stage's alarms, those that are on first; none in the local cloud, which evaluates none."""
    if deployment.local:
        return []
    pages = deployment.cloudwatch.get_paginator("describe_alarms")
    described = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=deployment.prefix, AlarmTypes=["CompositeAlarm", "MetricAlarm"])
        for alarm in [*page.get("CompositeAlarms", []), *page.get("MetricAlarms", [])]
    ]
    found = [
        AlarmState(each["AlarmName"], each["StateValue"], each.get("StateReason", ""))
        for each in described
        if deployment.owns(each["AlarmName"])
    ]
    return sorted(found, key=lambda alarm: (_URGENCY.index(alarm.state), alarm.name))


def _queue_table(queues: Iterable[QueueState], prefix: str, style: str) -> Table:
    rows = (
        (f"[{style}]{queue.name.removeprefix(prefix)}[/]", f"{queue.waiting:,}", f"{queue.in_flight:,}")
        for queue in queues
        if queue.waiting or queue.in_flight
    )
    return table(nowrap_column("Queue"), "Waiting", "In flight", rows=rows)


def _alarm_table(alarms: Iterable[AlarmState], prefix: str) -> Table:
    """Return the alarms that are on; names, in reasons too, without the prefix that all of the stage's share."""
    rows = (
        (alarm.name.removeprefix(prefix), f"[red]{alarm.state}[/]", escape(alarm.reason.replace(prefix, "")))
        for alarm in alarms
        if alarm.state == ALARM
    )
    return table(nowrap_column("Alarm"), nowrap_column("State"), wrapped_column("Reason"), rows=rows)


def _alarm_summary(alarms: Iterable[AlarmState]) -> str:
    states = Counter(alarm.state for alarm in alarms)
    unknown = f", {states[INSUFFICIENT_DATA]:,} without data" if states[INSUFFICIENT_DATA] else ""
    return f"Alarms: {states[ALARM]:,} on, {states[OK]:,} off{unknown}"
