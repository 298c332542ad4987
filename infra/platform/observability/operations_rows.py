"""What the operations dashboard shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.platform.machine import Machine
from infra.platform.observability import saved_queries as saved
from infra.platform.observability.measures import HOUR, combined, of_function, of_machine, of_queue, own
from infra.platform.observability.widgets import (
    HALF,
    QUARTER_WIDTH,
    THIRD,
    WHOLE,
    graph,
    heading,
    limit,
    states,
    table,
    value,
)
from infra.platform.python_function import PythonFunction
from infra.stage import Stage
from sluice.observability import metrics
from sluice.observability.metrics import Metric, Pipeline
from sluice.observability.prices import FUNCTION_CALL, FUNCTION_TIME

Row = list[cloudwatch.IWidget]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What runs in a stage; queues and machines by what they are called on the dashboard."""

    functions: Sequence[PythonFunction]
    machines: Mapping[str, Machine]
    queues: Mapping[str, sqs.IQueue]
    dead_letters: Mapping[str, sqs.IQueue]


class OperationsRows:
    """Queues, machines and functions, each against its limits, and what drives the cost."""

    def __init__(self, stage: Stage, parts: Parts, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Bind what is shown."""
        self._stage = stage
        self._parts = parts
        self._alarms = alarms

    def rows(self) -> list[Row]:
        """Return the rows from top to bottom."""
        return [
            [states("Alarms", self._alarms)],
            self._figures(),
            [heading("Queues")],
            self._queues(),
            [heading("Machines")],
            *self._machines(),
            [heading("Functions: slowest calls against their timeouts")],
            *self._durations(),
            self._troubles(),
            [heading("What drives the cost")],
            self._costs(),
            [heading("Logs")],
            self._logs(),
        ]

    def _figures(self) -> Row:
        seconds = self._of_functions("Errors")
        letters = self._letters()
        return [
            value("Errors", combined(_sum(seconds), seconds, "errors")),
            value("Dead letters", combined(_sum(letters), letters, "messages"), of_range=False),
            value("Retries, event files", self._own(metrics.RETRIES, Pipeline.EVENT_FILES)),
            value("Retries, exports", self._own(metrics.RETRIES, Pipeline.EXPORTS)),
            value("Files that come again", self._own(metrics.FILES_FAILED, Pipeline.EVENT_FILES)),
            value("Functions, $", self._dollars()),
        ]

    def _queues(self) -> Row:
        queues = self._parts.queues.items()
        visible, age = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
        waiting = [of_queue(queue, visible).with_(label=name) for name, queue in queues]
        ages = [of_queue(queue, age).with_(label=name) for name, queue in queues]
        late = limit(60 * self._stage.watch.queue_age_minutes, "alarm")
        return [
            graph("Messages waiting", waiting),
            graph("Age of the oldest message", ages, unit="s", lines=[late]),
            graph("Dead letters", list(self._letters().values())),
        ]

    def _letters(self) -> dict[str, cloudwatch.IMetric]:
        name = "ApproximateNumberOfMessagesVisible"
        letters = self._parts.dead_letters.items()
        return {f"q{n}": of_queue(queue, name).with_(label=label) for n, (label, queue) in enumerate(letters)}

    def _machines(self) -> Iterator[Row]:
        ends = ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")
        yield [
            graph(f"{name}: executions", [of_machine(machine, f"Executions{end}") for end in ends])
            for name, machine in self._parts.machines.items()
        ]
        yield [self._machine_times(name, machine) for name, machine in self._parts.machines.items()]
        yield [
            graph(
                "Throttled by Step Functions",
                [
                    of_machine(each, "ExecutionThrottled").with_(label=name)
                    for name, each in self._parts.machines.items()
                ],
            ),
            graph("Seconds a group of batches takes", self._spread(metrics.BATCH_SECONDS), unit="s"),
            graph(
                "Cold starts", [self._own(metrics.COLD_STARTS, pipeline).with_(label=pipeline) for pipeline in Pipeline]
            ),
        ]

    def _machine_times(self, name: str, machine: Machine) -> cloudwatch.IWidget:
        times = [of_machine(machine, "ExecutionTime", p).with_(label=p) for p in _PERCENTILES]
        return graph(f"{name}: duration", times, unit="ms")

    def _spread(self, metric: Metric) -> list[cloudwatch.IMetric]:
        return [own(self._stage, metric, Pipeline.EVENT_FILES, p).with_(label=p) for p in _PERCENTILES]

    def _durations(self) -> Iterator[Row]:
        widgets = [self._duration(function) for function in self._parts.functions]
        across = WHOLE // QUARTER_WIDTH
        for start in range(0, len(widgets), across):
            yield widgets[start : start + across]

    def _duration(self, function: PythonFunction) -> cloudwatch.IWidget:
        spread = [of_function(function, "Duration", p).with_(label=p) for p in _PERCENTILES]
        timeout = limit(1000 * function.size.timeout_seconds, "timeout")
        return graph(function.folder, spread, width=QUARTER_WIDTH, unit="ms", lines=[timeout])

    def _troubles(self) -> Row:
        return [
            graph("Errors", list(self._of_functions("Errors").values()), stacked=True),
            graph("Throttles", list(self._of_functions("Throttles").values()), stacked=True),
            graph("Concurrent calls", list(self._of_functions("ConcurrentExecutions", "Maximum").values())),
        ]

    def _costs(self) -> Row:
        bytes_moved = [
            self._own(metric, Pipeline.EVENT_FILES) for metric in (metrics.BYTES_READ, metrics.PARQUET_BYTES)
        ]
        requests = [
            of_function(each, "Invocations", period=HOUR).with_(label=each.folder) for each in self._parts.functions
        ]
        return [
            graph("Requests an hour", requests, stacked=True, width=THIRD),
            graph("GB-seconds an hour", [self._gigabyte_seconds(each) for each in self._parts.functions], stacked=True),
            graph("Bytes read and written", bytes_moved),
        ]

    def _gigabyte_seconds(self, function: PythonFunction) -> cloudwatch.IMetric:
        name = f"ms_{function.folder}"
        duration = {name: of_function(function, "Duration", period=HOUR)}
        return combined(f"{name} * {_gigabyte_per_millisecond(function):.9f}", duration, function.folder, HOUR)

    def _dollars(self) -> cloudwatch.IMetric:
        # A sum leaves out a function that was not called; with + there would be no figure at all.
        costs = {f"cost_{function.folder}": _dollars_of(function) for function in self._parts.functions}
        return combined(_sum(costs), costs, "calls and GB-seconds, $")

    def _logs(self) -> Row:
        functions = self._parts.functions
        return [
            table(saved.ERRORS, functions, width=HALF),
            table(saved.SLOWEST_FILES, functions, width=QUARTER_WIDTH),
            table(saved.COLD_STARTS, functions, width=QUARTER_WIDTH),
        ]

    def _of_functions(self, name: str, statistic: str = "Sum") -> dict[str, cloudwatch.IMetric]:
        return {
            f"f_{each.folder}": of_function(each, name, statistic).with_(label=each.folder)
            for each in self._parts.functions
        }

    def _own(self, metric: Metric, pipeline: Pipeline) -> cloudwatch.Metric:
        return own(self._stage, metric, pipeline)


def _sum(metrics_by_id: Mapping[str, cloudwatch.IMetric]) -> str:
    return f"SUM([{', '.join(metrics_by_id)}])"


def _dollars_of(function: PythonFunction) -> cloudwatch.IMetric:
    calls, milliseconds = f"calls_{function.folder}", f"ms_{function.folder}"
    used = {calls: of_function(function, "Invocations"), milliseconds: of_function(function, "Duration")}
    time = FUNCTION_TIME.of(_gigabyte_per_millisecond(function))
    return combined(f"{calls} * {FUNCTION_CALL.of(1):.9f} + {milliseconds} * {time:.15f}", used, function.folder)


def _gigabyte_per_millisecond(function: PythonFunction) -> float:
    return function.size.memory_mb / 1024 / 1000


_PERCENTILES = ("p50", "p90", "p99")
