"""The two dashboards of a stage: what all pipelines have, and the panels that each of them adds."""

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.observability.cloudwatch import (
    HOUR,
    combined,
    dashboard_name,
    of_function,
    of_machine,
    of_queue,
    own,
    total,
)
from infra.platform.observability.saved_queries import COLD_STARTS, ERRORS
from infra.platform.observability.settings import Observability
from infra.platform.observability.widgets import (
    PERCENTILES,
    QUARTER_WIDTH,
    THIRD,
    WHOLE,
    Row,
    graph,
    heading,
    limit,
    states,
    table,
    value,
)
from infra.platform.pipeline_part import PipelinePart
from infra.platform.stage_stack import stage_of
from sluice.observability import metrics
from sluice.observability.prices import FUNCTION_CALL, FUNCTION_TIME


class Dashboards(Construct):
    """*Business*: what arrived, how clean, how fresh. *Operations*: what runs, how well, and what it costs."""

    def __init__(
        self,
        scope: Construct,
        *,
        pipelines: Sequence[PipelinePart],
        functions: Sequence[PythonFunction],
        queues: Mapping[str, sqs.IQueue],  # besides those of pipelines; dead letters likewise
        dead_letters: Mapping[str, sqs.IQueue],
        paging: Sequence[cloudwatch.IAlarm],
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, "Dashboards")
        self._stage = stage_of(self)
        self._pipelines = [each.pipeline for each in pipelines]
        self._functions = functions
        self._machines = {kind.title(): machine for each in pipelines for kind, machine in each.machines.items()}
        self._queues = [queue for each in pipelines for queue in each.queues.items()] + [*queues.items()]
        letters = [queue for each in pipelines for queue in each.dead_letters.items()] + [*dead_letters.items()]
        self._letters = {f"q{n}": of_queue(queue).with_(label=label) for n, (label, queue) in enumerate(letters)}
        panels = [each.panels() for each in pipelines]
        figures = [figure for each in panels for figure in each.business_figures]
        rows = [row for each in panels for row in each.business]
        self._build("Business", [[states("Pipelines", paging)], figures, *rows])
        figures = [figure for each in panels for figure in each.operations_figures]
        rows = [row for each in panels for row in each.operations]
        self._build("Operations", [[states("Alarms", alarms)], *self._operations(figures), *rows])

    def _build(self, name: str, rows: Sequence[Row]) -> None:
        cloudwatch.Dashboard(
            self,
            name,
            dashboard_name=dashboard_name(self._stage, name),
            default_interval=Duration.hours(8),
            period_override=cloudwatch.PeriodOverride.INHERIT,
            widgets=[row for row in rows if row],
        )

    def _operations(self, more_figures: Row) -> list[Row]:
        """Return queues, machines and functions, each against its limits, and what drives the cost."""
        return [
            [*self._figures(), *more_figures],
            [heading("Queues")],
            self._queue_graphs(),
            [heading("Machines")],
            *self._machine_graphs(),
            [heading("Functions: slowest calls against their timeouts")],
            *self._durations(),
            self._troubles(),
            [heading("What drives the cost")],
            self._costs(),
            [heading("Logs")],
            [table(ERRORS, self._functions), table(COLD_STARTS, self._functions)],
        ]

    def _figures(self) -> Row:
        errors = self._of_functions("Errors")
        costs = {f"cost_{each.folder}": _dollars_of(each) for each in self._functions}
        retries = [
            value(f"Retries, {each.title.lower()}", own(self._stage, metrics.RETRIES, each.name))
            for each in self._pipelines
        ]
        return [
            value("Errors", total(errors, "errors")),
            value("Dead letters", total(self._letters, "messages"), of_range=False),
            value("Functions, $", total(costs, "calls and GB-seconds, $")),
            *retries,
        ]

    def _queue_graphs(self) -> Row:
        ages = [of_queue(queue, "ApproximateAgeOfOldestMessage").with_(label=name) for name, queue in self._queues]
        late = limit(60 * self._stage.settings(Observability).queue_age_minutes, "alarm")
        return [
            graph("Messages waiting", [of_queue(queue).with_(label=name) for name, queue in self._queues]),
            graph("Age of the oldest message", ages, unit="s", lines=[late]),
            graph("Dead letters", list(self._letters.values())),
        ]

    def _machine_graphs(self) -> Iterator[Row]:
        machines = self._machines.items()
        ends = ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")
        yield [
            graph(f"{name}: executions", [of_machine(machine, f"Executions{end}") for end in ends])
            for name, machine in machines
        ]
        yield [
            graph(f"{name}: duration", _spread(of_machine(machine, "ExecutionTime")), unit="ms")
            for name, machine in machines
        ]
        throttled = [of_machine(machine, "ExecutionThrottled").with_(label=name) for name, machine in machines]
        starts = [own(self._stage, metrics.COLD_STARTS, each.name).with_(label=each.name) for each in self._pipelines]
        yield [graph("Throttled by Step Functions", throttled), graph("Cold starts", starts)]

    def _durations(self) -> Iterator[Row]:
        across = WHOLE // QUARTER_WIDTH
        for start in range(0, len(self._functions), across):
            yield [self._duration(function) for function in self._functions[start : start + across]]

    def _duration(self, function: PythonFunction) -> cloudwatch.IWidget:
        timeout = limit(1000 * function.size.timeout_seconds, "timeout")
        spread = _spread(of_function(function, "Duration"))
        return graph(function.folder, spread, width=QUARTER_WIDTH, unit="ms", lines=[timeout])

    def _troubles(self) -> Row:
        return [
            graph("Errors", list(self._of_functions("Errors").values()), stacked=True),
            graph("Throttles", list(self._of_functions("Throttles").values()), stacked=True),
            graph("Concurrent calls", list(self._of_functions("ConcurrentExecutions", "Maximum").values())),
        ]

    def _costs(self) -> Row:
        calls = [of_function(each, "Invocations", period=HOUR).with_(label=each.folder) for each in self._functions]
        seconds = [_gigabyte_seconds(each) for each in self._functions]
        return [
            graph("Requests an hour", calls, stacked=True, width=THIRD),
            graph("GB-seconds an hour", seconds, stacked=True),
        ]

    def _of_functions(self, name: str, statistic: str = "Sum") -> dict[str, cloudwatch.IMetric]:
        return {
            f"f_{each.folder}": of_function(each, name, statistic).with_(label=each.folder) for each in self._functions
        }


def _spread(metric: cloudwatch.Metric) -> list[cloudwatch.IMetric]:
    return [metric.with_(statistic=percentile, label=percentile) for percentile in PERCENTILES]


def _gigabyte_seconds(function: PythonFunction) -> cloudwatch.IMetric:
    name = f"ms_{function.folder}"
    duration = {name: of_function(function, "Duration", period=HOUR)}
    return combined(f"{name} * {_gigabyte_per_millisecond(function):.9f}", duration, function.folder, HOUR)


def _dollars_of(function: PythonFunction) -> cloudwatch.IMetric:
    calls, milliseconds = f"calls_{function.folder}", f"ms_{function.folder}"
    used = {calls: of_function(function, "Invocations"), milliseconds: of_function(function, "Duration")}
    time = FUNCTION_TIME.of(_gigabyte_per_millisecond(function))
    return combined(f"{calls} * {FUNCTION_CALL.of(1):.9f} + {milliseconds} * {time:.15f}", used, function.folder)


def _gigabyte_per_millisecond(function: PythonFunction) -> float:
    return function.size.memory_mb / 1024 / 1000
