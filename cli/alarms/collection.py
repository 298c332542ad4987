"""Measured points of the local stage: what CloudWatch would have made of its logs, queues and machines.

The local cloud makes metrics of functions only. Functions' own metrics are read from their log lines, those of machines
from their executions, those of queues from their attributes, which say how they are now. The age of a queue's oldest
message is no attribute: it is known to be 0 where none waits, and else not at all. What is 0 is a point only for
functions; AWS documents none for machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cli.alarms.emf import points_of
from cli.alarms.resources import FUNCTION, LOG_GROUP, MACHINE, QUEUE, Resource
from cli.alarms.series import Metric, Point, Series

if TYPE_CHECKING:
    from cli.session import Deployment

Points = Iterator[tuple[Metric, Point]]

_ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
_OF_FUNCTIONS = {"Invocations": "Sum", "Errors": "Sum", "Throttles": "Sum", "Duration": "Maximum"}
_QUERIES = 500  # of one request
_THREADS = 8


@dataclass(frozen=True)
class Collector:
    """Collects the points of some resources from `since` on."""

    deployment: Deployment
    since: datetime

    def collect(self, resources: Iterable[Resource]) -> Series:
        """All points of these resources."""
        sources = {LOG_GROUP: self._of_log_group, MACHINE: self._of_machine, QUEUE: self._of_queue}
        known = list(resources)
        wanted = [(sources[resource.kind], resource.physical_id) for resource in known if resource.kind in sources]
        functions = [resource.physical_id for resource in known if resource.kind == FUNCTION]
        with ThreadPoolExecutor(_THREADS) as pool:
            found = pool.map(lambda source: list(source[0](source[1])), wanted)
            series = Series(self._of_functions(functions))
            for points in found:
                series.extend(points)
        return series

    def _of_log_group(self, name: str) -> Points:
        pages = self.deployment.logs.get_paginator("filter_log_events").paginate(
            logGroupName=name, filterPattern='"_aws"', startTime=int(self.since.timestamp() * 1000)
        )
        yield from points_of(event["message"] for page in pages for event in page["events"])

    def _of_functions(self, names: list[str]) -> Points:
        metrics = [
            (Metric.of("AWS/Lambda", metric, {"FunctionName": name}), statistic)
            for name in names
            for metric, statistic in _OF_FUNCTIONS.items()
        ]
        for start in range(0, len(metrics), _QUERIES):
            yield from self._by_second(metrics[start : start + _QUERIES])

    def _by_second(self, metrics: list[tuple[Metric, str]]) -> Points:
        answers = self.deployment.cloudwatch.get_metric_data(
            MetricDataQueries=[
                {"Id": f"m{place}", "MetricStat": {"Metric": _asked(metric), "Period": 1, "Stat": statistic}}
                for place, (metric, statistic) in enumerate(metrics)
            ],
            StartTime=self.since,
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
        )["MetricDataResults"]
        for answer in answers:
            metric, _ = metrics[int(answer["Id"][1:])]
            for at, value in zip(answer["Timestamps"], answer["Values"], strict=True):
                yield metric, Point(at.timestamp(), float(value))

    def _of_machine(self, arn: str) -> Points:
        pages = self.deployment.stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=arn)
        dimensions = {"StateMachineArn": arn}
        for execution in (execution for page in pages for execution in page["executions"]):
            started, stopped = execution["startDate"], execution.get("stopDate")
            yield Metric.of("AWS/States", "ExecutionsStarted", dimensions), Point(started.timestamp(), 1)
            if stopped and execution["status"] in _ENDS:
                at, took = stopped.timestamp(), (stopped - started).total_seconds() * 1000
                yield Metric.of("AWS/States", _ENDS[execution["status"]], dimensions), Point(at, 1)
                yield Metric.of("AWS/States", "ExecutionTime", dimensions), Point(at, took)

    def _of_queue(self, url: str) -> Points:
        found = self.deployment.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        waiting = int(found["ApproximateNumberOfMessages"])
        hidden = int(found["ApproximateNumberOfMessagesNotVisible"])
        values = {"ApproximateNumberOfMessagesVisible": waiting, "ApproximateNumberOfMessagesNotVisible": hidden}
        if not waiting + hidden:
            values["ApproximateAgeOfOldestMessage"] = 0
        # As of the minute that is over, which is the last that alarms look at.
        at = datetime.now(UTC).timestamp() - 60
        for name, value in values.items():
            yield Metric.of("AWS/SQS", name, {"QueueName": url.rpartition("/")[2]}), Point(at, float(value))


def _asked(metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
