"""Alarms on what a person has to act on, each with what to do; one composite per pipeline notifies people."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.platform.observability.cloudwatch import (
    FIVE_MINUTES,
    combined,
    dashboard_name,
    dashboard_page,
    function_page,
    machine_page,
    of_function,
    of_machine,
    of_queue,
    queues_page,
    total,
)
from infra.platform.observability.saved_queries import ERRORS, Query
from infra.platform.observability.settings import Observability
from infra.platform.stage_stack import stage_of

Missing = cloudwatch.TreatMissingData
Steps = tuple[str, str, str]
_Comparison = cloudwatch.ComparisonOperator


@dataclass(frozen=True, slots=True)
class Periods:
    """An alarm goes on when `breaching` of the latest `looked_at` periods are beyond its threshold."""

    breaching: int
    looked_at: int


AT_ONCE = Periods(1, 1)
LASTING = Periods(2, 3)
FOR_A_QUARTER = Periods(1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Text for the person on call: what it means, the first three things to do, and where to look."""

    meaning: str
    steps: Steps
    console: str
    query: Query
    heading: str = ""  # of the runbook; the name of the alarm unless it is given


class Alarms(Construct):
    """The alarms of one pipeline; `raised` are those made so far."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.stage = stage_of(self)
        self.raised: list[cloudwatch.AlarmBase] = []
        self._settings = self.stage.settings(Observability)

    def above(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        advice: Advice,
        *,
        periods: Periods = LASTING,
        missing: Missing = Missing.NOT_BREACHING,
        comparison: cloudwatch.ComparisonOperator = _Comparison.GREATER_THAN_THRESHOLD,
    ) -> None:
        """Raise an alarm when the metric is above a threshold, or compares otherwise with it."""
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=self._full(name),
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            evaluation_periods=periods.looked_at,
            datapoints_to_alarm=periods.breaching,
            treat_missing_data=missing,
            alarm_description=self._describe(name, advice),
        )
        self.raised.append(alarm)

    def unusual(self, name: str, metric: cloudwatch.IMetric, deviations: float, advice: Advice) -> None:
        """Raise an alarm when the metric is more standard deviations above what it is at this time of the week."""
        alarm = cloudwatch.AnomalyDetectionAlarm(
            self,
            name,
            alarm_name=self._full(name),
            metric=metric,
            std_devs=deviations,
            comparison_operator=_Comparison.GREATER_THAN_UPPER_THRESHOLD,
            evaluation_periods=LASTING.looked_at,
            datapoints_to_alarm=LASTING.breaching,
            treat_missing_data=Missing.NOT_BREACHING,
            alarm_description=self._describe(name, advice),
        )
        self.raised.append(alarm)

    def on_letters(
        self, name: str, letters: Sequence[sqs.IQueue], meaning: str, steps: Steps, query: Query = ERRORS
    ) -> None:
        """Raise an alarm at once when a message waits in one of these dead letter queues."""
        counts = {f"m{at}": of_queue(queue) for at, queue in enumerate(letters)}
        waiting = of_queue(letters[0]) if len(letters) == 1 else total(counts, "messages that wait")
        advice = Advice(meaning=meaning, steps=steps, console=queues_page(letters[0].queue_name), query=query)
        self.above(name, waiting, 0, advice, periods=AT_ONCE)

    def on_failed_runs(
        self,
        name: str,
        machine: Machine,
        meaning: str,
        steps: Steps,
        query: Query,
        *,
        periods: Periods,
        period: Duration = FIVE_MINUTES,
        heading: str = "",
    ) -> None:
        """Raise an alarm when an execution failed, ran out of time or was aborted."""
        names = {"failed": "ExecutionsFailed", "timed_out": "ExecutionsTimedOut", "aborted": "ExecutionsAborted"}
        counts = {key: of_machine(machine, end, period=period) for key, end in names.items()}
        ends = total(counts, "runs that did not succeed", period)
        advice = Advice(meaning=meaning, steps=steps, console=machine_page(machine), query=query, heading=heading)
        self.above(name, ends, 0, advice, periods=periods)

    def on_failing_function(self, failing: str, throttled: str, function: PythonFunction) -> None:
        """Raise an alarm when too many calls of a function end in an error, and one when Lambda refuses calls."""
        folder, page, percent = function.folder, function_page(function), self._settings.error_percent
        calls = {"errors": of_function(function, "Errors"), "invocations": of_function(function, "Invocations")}
        self.above(
            failing,
            combined("100 * errors / invocations", calls, "errors, % of calls"),
            percent,
            Advice(
                meaning=f"More than {percent:g} % of the calls of {folder} end in an error.",
                steps=(
                    "Read the last errors in its log: one object, or every one?",
                    "After a deployment: go back to the version before, then look on.",
                    "Denied or throttled by S3 or DynamoDB? Restore permissions with `sluice deploy`.",
                ),
                console=page,
                query=ERRORS,
            ),
        )
        self.above(
            throttled,
            of_function(function, "Throttles"),
            0,
            Advice(
                meaning=f"Lambda refuses calls of {folder}: the account has no concurrency left.",
                steps=(
                    "See which function of the account uses it up (Lambda dashboard, ConcurrentExecutions).",
                    "Stop that one, or ask AWS for a higher quota.",
                    f"Or give {folder} a reserved_concurrency in its pipeline's settings (infra/).",
                ),
                console=page,
                query=ERRORS,
            ),
        )

    def on_slow_function(self, name: str, function: PythonFunction, query: Query) -> None:
        """Raise an alarm when a function's calls come near its timeout."""
        percent, timeout = self._settings.duration_percent, function.size.timeout_seconds
        advice = Advice(
            meaning=f"One call in a hundred of {function.folder} takes more than {percent} % of its timeout of "
            f"{timeout} s. A call that is cut off is done again from the start.",
            steps=(
                "Since when? Larger input (see the query), or a deployment?",
                "S3 or DynamoDB slow? See the function's traces.",
                f"Raise memory_mb, which brings CPU, or timeout_seconds of {function.folder} in its settings (infra/).",
            ),
            console=function_page(function),
            query=query,
        )
        # A burst of calls is one period: 2 of 3 would only see a steady flow.
        slowest = of_function(function, "Duration", "p99")
        self.above(name, slowest, 10 * percent * timeout, advice, periods=FOR_A_QUARTER)

    def page(self, name: str, topic: sns.ITopic) -> cloudwatch.CompositeAlarm:
        """Make the composite that is on while any alarm is; it alone notifies people, when it goes on and off."""
        rule = " OR ".join(f'ALARM("{alarm.alarm_name}")' for alarm in self.raised)
        composite = cloudwatch.CompositeAlarm(
            self,
            "Composite",
            composite_alarm_name=self._full(name),
            alarm_rule=cloudwatch.AlarmRule.from_string(rule),
            alarm_description=(
                f"Something of {name} needs a person: the alarms that are on say what, and what to do.\n\n"
                f"Dashboard: {dashboard_page(dashboard_name(self.stage, 'Operations'))}"
            ),
        )
        self.notify(composite, topic)
        return composite

    def notify(self, alarm: cloudwatch.AlarmBase, topic: sns.ITopic) -> None:
        """Notify people when an alarm goes on and off, if the stage pages."""
        if self._settings.pages:
            action = actions.SnsAction(topic)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)

    def _full(self, name: str) -> str:
        return f"{self.stage.stack_name}-{name}"

    def _describe(self, name: str, advice: Advice) -> str:
        steps = [f"{number}. {step}" for number, step in enumerate(advice.steps, start=1)]
        links = [
            f"Console: {advice.console}",
            f"Query: {advice.query.name(self.stage)}",
            # The anchor of its heading, as GitHub makes it.
            f"Runbook: {self._settings.runbook}#{(advice.heading or name).lower()}",
        ]
        return "\n".join([advice.meaning, "", *steps, "", *links])
