"""What can go wrong with event files, and what a person then does."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.event_files.queue_alarms import raise_on_queues
from infra.event_files.search_alarm import raise_on_search
from infra.event_files.stack import EventFilesStack
from infra.platform.observability import saved_queries as saved
from infra.platform.observability.alarms import AT_ONCE, Advice, Alarms, Missing, Periods
from infra.platform.observability.console import function_page, machine_page
from infra.platform.observability.measures import QUARTER, combined, of_function, of_machine, own
from infra.platform.observability.on_aws import OnAws
from infra.platform.python_function import PythonFunction
from infra.stage import Stage
from sluice.observability import metrics
from sluice.observability.metrics import Metric, Pipeline

_UNTIL_THE_NEXT_RUN = Periods(1, 3)
"""A conversion that failed stays in sight for a quarter of an hour, until the next one ended."""


class EventFileAlarms(Alarms):
    """From the queues to the age of the newest row."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, on_aws: OnAws, parts: EventFilesStack
    ) -> None:
        """Raise them all."""
        super().__init__(scope, construct_id, stage=stage, on_aws=on_aws)
        self._parts = parts
        self._watch = stage.watch
        raise_on_queues(self, parts)
        self._raise_on_validation()
        self._raise_on_dirt()
        self._raise_on_conversion()
        if stage.watch.probe_schedule:
            self._raise_on_age()
        if parts.search:
            raise_on_search(self, parts.search)

    def _raise_on_validation(self) -> None:
        validate = self._parts.functions.validate_files
        failing = Advice(
            meaning=f"More than {self._watch.error_percent:g} % of the calls of validate_files end in an error.",
            steps=(
                "Read the last errors in its log: one object, or every one?",
                "After a deployment: go back to the version before, then look on.",
                "Denied or throttled by S3 or DynamoDB? Restore permissions with `sluice deploy`.",
            ),
            console=function_page(validate),
            query=saved.name(self.stage, saved.ERRORS),
        )
        rate = combined(
            "100 * errors / invocations",
            {"errors": of_function(validate, "Errors"), "invocations": of_function(validate, "Invocations")},
            "errors, % of calls",
        )
        self.above("ValidationFailing", rate, self._watch.error_percent, failing)
        throttled = Advice(
            meaning="Lambda refuses calls of validate_files: the account has no concurrency left.",
            steps=(
                "See which function of the account uses it up (Lambda dashboard, ConcurrentExecutions).",
                "Stop that one, or ask AWS for a higher quota.",
                "Or give validate_files a reserved_concurrency in infra/stage.py.",
            ),
            console=function_page(validate),
            query=saved.name(self.stage, saved.ERRORS),
        )
        self.above("ValidationThrottled", of_function(validate, "Throttles"), 0, throttled)
        self._raise_when_slow("ValidationSlow", validate, saved.name(self.stage, saved.SLOWEST_FILES))

    def _raise_when_slow(self, name: str, function: PythonFunction, query: str) -> None:
        watch = self._watch
        slow = Advice(
            meaning=f"One call in a hundred of {function.folder} takes more than {watch.duration_percent} % of its "
            f"timeout of {function.size.timeout_seconds} s. A call that is cut off is done again from the start.",
            steps=(
                "Since when? Larger input (see the query), or a deployment?",
                "S3 or DynamoDB slow? See the function's traces.",
                f"Raise memory_mb, which brings CPU, or timeout_seconds of {function.folder} in infra/stage.py.",
            ),
            console=function_page(function),
            query=query,
        )
        milliseconds = 10 * watch.duration_percent * function.size.timeout_seconds
        # A wave of calls is one period: 2 of 3 would only see a steady flow.
        self.above(name, of_function(function, "Duration", "p99"), milliseconds, slow, periods=_UNTIL_THE_NEXT_RUN)

    def _raise_on_dirt(self) -> None:
        watch = self._watch
        many = Advice(
            meaning=f"More than {watch.dirty_percent:g} % of the events are dirty: they stay outside the tables.",
            steps=(
                "Run the query: which source, which reason?",
                "A producer changed its events? Tell it; `sluice file KEY` shows what a file broke.",
                "A contract is too strict? Change it; upload the files again.",
            ),
            console=function_page(self._parts.functions.validate_files),
            query=saved.name(self.stage, saved.DIRTY_REASONS),
        )
        # At once: files may come in bursts, an hour apart.
        self.above("DirtyMany", self._dirty_ratio(above=0), watch.dirty_percent, many, periods=AT_ONCE)
        unusual = Advice(
            meaning="A larger part of the events is dirty than usual at this time of the week.",
            steps=(
                "Run the query: which reason is new?",
                "Did a producer or a contract change today?",
                "Nothing wrong? The band learns; widen dirty_band in infra/stage.py if it does so often.",
            ),
            console=function_page(self._parts.functions.validate_files),
            query=saved.name(self.stage, saved.DIRTY_REASONS),
        )
        self.unusual("DirtyUnusual", self._dirty_ratio(above=watch.dirty_least_percent), watch.dirty_band, unusual)

    def _dirty_ratio(self, above: float) -> cloudwatch.MathExpression:
        """Per cent of dirty events; 0 with too few events to say, or where it is not above so many per cent."""
        events = {"clean": self._own(metrics.EVENTS_CLEAN), "dirty": self._own(metrics.EVENTS_DIRTY)}
        ratio = "100 * dirty / (clean + dirty)"
        counted = f"IF({ratio} > {above:g}, {ratio}, 0)" if above else ratio
        enough = f"IF(clean + dirty >= {self._watch.dirty_least_events}, {counted}, 0)"
        return combined(enough, events, "dirty, % of events", QUARTER)

    def _own(self, metric: Metric) -> cloudwatch.Metric:
        return own(self.stage, metric, Pipeline.EVENT_FILES, period=QUARTER)

    def _raise_on_conversion(self) -> None:
        machine = self._parts.machine
        failed = Advice(
            meaning="A conversion failed, ran out of time or was aborted. Nothing was marked converted.",
            steps=(
                "Open the execution: which state, which cause? `sluice runs` lists them.",
                "Mend the cause; the next run finishes what this one began.",
                "Start one now: `sluice convert`.",
            ),
            console=machine_page(machine),
            query=saved.name(self.stage, saved.ONE_RUN),
        )
        names = {"failed": "ExecutionsFailed", "timed_out": "ExecutionsTimedOut", "aborted": "ExecutionsAborted"}
        ends = {key: of_machine(machine, name) for key, name in names.items()}
        total = combined(f"SUM([{', '.join(names)}])", ends, "conversions that did not succeed")
        self.above("ConversionFailed", total, 0, failed, periods=_UNTIL_THE_NEXT_RUN)
        convert = self._parts.functions.convert_batch
        self._raise_when_slow("ConversionSlow", convert, saved.name(self.stage, saved.ONE_RUN))

    def _raise_on_age(self) -> None:
        watch, machine = self._watch, self._parts.machine
        late = Advice(
            meaning=f"Validated events have waited for their conversion for more than {watch.pending_minutes} minutes, "
            "or the probe that measures it (probe_lag) does not run.",
            steps=(
                "Does Convert run? `sluice runs`; is its schedule enabled?",
                "No PendingAge on the dashboard? Then see the log and the schedule of probe_lag.",
                "Start a conversion: `sluice convert`.",
            ),
            console=machine_page(machine),
            query=saved.name(self.stage, saved.ERRORS),
        )
        pending = own(self.stage, metrics.PENDING_AGE, Pipeline.EVENT_FILES, "Maximum")
        # No age at all: nobody looks any more.
        self.above("ConversionLate", pending, 60 * watch.pending_minutes, late, missing=Missing.BREACHING)
        quiet = Advice(
            meaning=f"No table has rows of the last {watch.quiet_hours} hours.",
            steps=(
                "Do files arrive in the source bucket? Else ask the producers.",
                "They do: does EventBridge announce them? See the rule's metrics and the files queue.",
                "They are validated: are all events dirty, unrelated, or of times long past?",
            ),
            console=function_page(self._parts.functions.validate_files),
            query=saved.name(self.stage, saved.FRESHNESS),
        )
        newest = own(self.stage, metrics.NEWEST_ROW_AGE, Pipeline.EVENT_FILES, "Minimum")
        # A lake without any row has no such age; that the probe looks at all is seen by ConversionLate.
        self.above("NothingArrives", newest, 3600 * watch.quiet_hours, quiet)
