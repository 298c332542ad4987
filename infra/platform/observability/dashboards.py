"""The two dashboards of a stage: what all pipelines have, and the panels that each of them adds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.platform.observability.cloudwatch import (
    HOUR,
    OnAws,
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
from infra.stage import Stage
from sluice.observability import metrics
from sluice.observability.pipeline import Pipeline
from sluice.observability.prices import FUNCTION_CALL, FUNCTION_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """Parts of dashboards that a pipeline adds: figures for their first rows, and rows."""

    business_figures: Row = ()
    business: Sequence[Row] = ()
    operations_figures: Row = ()
    operations: Sequence[Row] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Resources of a stage; queues and machines by what they are called on the dashboard."""

    pipelines: Sequence[Pipeline]
    functions: Sequence[PythonFunction]
    machines: Mapping[str, Machine]
    queues: Mapping[str, sqs.IQueue]
    dead_letters: Mapping[str, sqs.IQueue]


class Dashboards(Construct):
    """*Business*: what arrived, how clean, how fresh. *Operations*: what runs, how well, and what it costs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        on_aws: OnAws,
        parts: Parts,
        panels: Sequence[Panels],
        paging: Sequence[cloudwatch.IAlarm],
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        """Build both."""
        super().__init__(scope, construct_id)
        self._stage = stage
        self._parts = parts
        figures = [figure for each in panels for figure in each.business_figures]
        rows = [row for each in panels for row in each.business]
        self._build("Business", [[states("Pipelines", paging)], figures, *rows])
        figures = [figure for each in panels for figure in each.operations_figures]
        rows = [row for each in panels for row in each.operations]
        self._build("Operations", [[states("Alarms", alarms)], *self._operations(figures), *rows])
        on_aws.only(self)

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
        functions = self._parts.functions
        return [
            [*self._figures(), *more_figures],
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
            [table(ERRORS, functions), table(COLD_STARTS, functions)],
        ]

    def _figures(self) -> Row:
        errors, letters = self._of_functions("Errors"), self._letters()
        retries = [
            value(f"Retries, {each.title.lower()}", own(self._stage, metrics.RETRIES, each.name))
            for each in self._parts.pipelines
        ]
        return [
            value("Errors", total(errors, "errors")),
            value("Dead letters", total(letters, "messages"), of_range=False),
            value("Functions, $", self._dollars()),
            *retries,
        ]

    def _queues(self) -> Row:
        queues = self._parts.queues.items()
        ages = [of_queue(queue, "ApproximateAgeOfOldestMessage").with_(label=name) for name, queue in queues]
        late = limit(60 * self._stage.settings(Observability).queue_age_minutes, "alarm")
        return [
            graph("Messages waiting", [of_queue(queue).with_(label=name) for name, queue in queues]),
            graph("Age of the oldest message", ages, unit="s", lines=[late]),
            graph("Dead letters", list(self._letters().values())),
        ]

    def _letters(self) -> dict[str, cloudwatch.IMetric]:
        letters = self._parts.dead_letters.items()
        return {f"q{n}": of_queue(queue).with_(label=label) for n, (label, queue) in enumerate(letters)}

    def _machines(self) -> Iterator[Row]:
        machines = self._parts.machines.items()
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
        starts = [
            own(self._stage, metrics.COLD_STARTS, each.name).with_(label=each.name) for each in self._parts.pipelines
        ]
        yield [graph("Throttled by Step Functions", throttled), graph("Cold starts", starts)]

    def _durations(self) -> Iterator[Row]:
        widgets = [self._duration(function) for function in self._parts.functions]
        across = WHOLE // QUARTER_WIDTH
        for start in range(0, len(widgets), across):
            yield widgets[start : start + across]

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
        functions = self._parts.functions
        requests = [of_function(each, "Invocations", period=HOUR).with_(label=each.folder) for each in functions]
        seconds = [_gigabyte_seconds(each) for each in functions]
        return [
            graph("Requests an hour", requests, stacked=True, width=THIRD),
            graph("GB-seconds an hour", seconds, stacked=True),
        ]

    def _dollars(self) -> cloudwatch.IMetric:
        costs = {f"cost_{function.folder}": _dollars_of(function) for function in self._parts.functions}
        return total(costs, "calls and GB-seconds, $")

    def _of_functions(self, name: str, statistic: str = "Sum") -> dict[str, cloudwatch.IMetric]:
        return {
            f"f_{each.folder}": of_function(each, name, statistic).with_(label=each.folder)
            for each in self._parts.functions
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
