"""Measured points of the local stage: what CloudWatch would have made of its logs, queues and machines.

The local cloud makes metrics only of functions that are called by hand. Here those of functions, and their own, are
read from their logs, those of machines from their executions, those of queues from their attributes, which say how they
are now. The age of a queue's oldest message is no attribute: it is known to be 0 where none waits, and else not at all.
A call that Lambda refuses leaves no log, so nothing is ever throttled.
"""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cli.platform.session import Deployment
from tests.support.cloudwatch.series import Metric, Point, points_of

Points = Iterator[tuple[Metric, Point]]

FUNCTION = "AWS::Lambda::Function"
MACHINE = "AWS::StepFunctions::StateMachine"
QUEUE = "AWS::SQS::Queue"

_ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
_CALL = re.compile(r"REPORT RequestId: \S+\tDuration: (?P<milliseconds>[\d.]+) ms")
_FAILED = "Traceback (most recent call last):"  # at the begin of a line only where nothing caught it
_MOST_EVENTS = 10_000
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Resource:
    """A deployed resource: its name is its stack's part and its logical id, its physical id what `Ref` gives."""

    name: str
    kind: str
    physical_id: str


@dataclass(frozen=True)
class PointCollector:
    """Collects the points of some resources from `since` on."""

    deployment: Deployment
    since: datetime

    def collect(self, resources: Iterable[Resource]) -> list[tuple[Metric, Point]]:
        """Return all points of these resources."""
        sources = {FUNCTION: self._of_function, MACHINE: self._of_machine, QUEUE: self._of_queue}
        with ThreadPoolExecutor(_THREADS) as pool:
            found = pool.map(lambda resource: list(sources[resource.kind](resource)), resources)
            return [point for points in found for point in points]

    def _of_function(self, function: Resource) -> Points:
        calls: dict[str, list[dict[str, Any]]] = {}
        for event in self._log_events(self._log_groups[function.physical_id]):
            calls.setdefault(event["logStreamName"], []).append(event)  # each call has a stream of its own
        for events in calls.values():
            lines = [event["message"] for event in events]
            yield from points_of(lines)
            yield from _points_of_call(function.name, events[-1]["timestamp"] / 1000, lines)

    def _log_events(self, group: str) -> Iterator[dict[str, Any]]:
        """Return the log events; the local cloud cuts an answer at a number of events, without a next page."""
        start = int(self.since.timestamp() * 1000)
        while True:
            events = self.deployment.logs.filter_log_events(logGroupName=group, startTime=start)["events"]
            yield from events
            if len(events) < _MOST_EVENTS:
                return
            start = events[-1]["timestamp"] + 1

    @cached_property
    def _log_groups(self) -> dict[str, str]:
        pages = self.deployment.functions.get_paginator("list_functions").paginate()
        found = (function for page in pages for function in page["Functions"])
        return {function["FunctionName"]: function["LoggingConfig"]["LogGroup"] for function in found}

    def _of_machine(self, machine: Resource) -> Points:
        executions = self.deployment.stepfunctions.get_paginator("list_executions")
        pages = executions.paginate(stateMachineArn=machine.physical_id)
        dimensions = {"StateMachineArn": machine.name}
        for execution in (execution for page in pages for execution in page["executions"]):
            started, stopped = execution["startDate"], execution.get("stopDate")
            yield Metric.of("AWS/States", "ExecutionsStarted", dimensions), Point(started.timestamp(), 1)
            if stopped and execution["status"] in _ENDS:
                at, took = stopped.timestamp(), (stopped - started).total_seconds() * 1000
                yield Metric.of("AWS/States", _ENDS[execution["status"]], dimensions), Point(at, 1)
                yield Metric.of("AWS/States", "ExecutionTime", dimensions), Point(at, took)

    def _of_queue(self, queue: Resource) -> Points:
        asked = self.deployment.sqs.get_queue_attributes(QueueUrl=queue.physical_id, AttributeNames=["All"])
        found = asked["Attributes"]
        waiting = int(found["ApproximateNumberOfMessages"])
        hidden = int(found["ApproximateNumberOfMessagesNotVisible"])
        values = {"ApproximateNumberOfMessagesVisible": waiting, "ApproximateNumberOfMessagesNotVisible": hidden}
        if not waiting + hidden:
            values["ApproximateAgeOfOldestMessage"] = 0
        # As of the minute that is over, which is the last that alarms look at.
        at = datetime.now(UTC).timestamp() - 60
        for name, value in values.items():
            yield Metric.of("AWS/SQS", name, {"QueueName": queue.name}), Point(at, float(value))


def _points_of_call(function: str, at: float, lines: list[str]) -> Points:
    ended = next(filter(None, map(_CALL.match, reversed(lines))), None)
    if ended is None:
        return
    failed = any(line.startswith(_FAILED) for line in lines)
    milliseconds = float(ended["milliseconds"])
    values = {"Invocations": 1.0, "Errors": float(failed), "Throttles": 0.0, "Duration": milliseconds}
    for name, value in values.items():
        yield Metric.of("AWS/Lambda", name, {"FunctionName": function}), Point(at, value)


def resources_of(deployment: Deployment) -> Iterator[Resource]:
    """Yield the deployed resources that alarms may be on."""
    pages = deployment.cloudformation.get_paginator("list_stack_resources").paginate(StackName=deployment.stack)
    for found in (found for page in pages for found in page["StackResourceSummaries"]):
        if found["ResourceType"] in {FUNCTION, MACHINE, QUEUE}:
            yield Resource(found["LogicalResourceId"], found["ResourceType"], found["PhysicalResourceId"])
