"""What can go wrong with event files, and what a person then does."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.constructs.watch import saved_queries as saved
from infra.constructs.watch.alarms import AT_ONCE, Advice, Alarms, Missing, Periods
from infra.constructs.watch.console import function_page, machine_page, queues_page
from infra.constructs.watch.measures import QUARTER, combined, of_function, of_machine, of_queue, own
from infra.constructs.watch.on_aws import OnAws
from infra.constructs.watch.search_alarm import raise_on_search
from infra.event_files_stack import EventFilesStack
from infra.stage import Stage
from sluice.watching import metrics
from sluice.watching.metrics import Metric, Pipeline

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
        self._raise_on_queues()
        self._raise_on_validation()
        self._raise_on_dirt()
        self._raise_on_conversion()
        if stage.watch.probe_schedule:
            self._raise_on_age()
        if parts.search:
            raise_on_search(self, parts.search)

    def _raise_on_queues(self) -> None:
        parts = self._parts
        for name, queue, what, function in (
            ("FilesWaiting", parts.files.dead_letters, "Files that could not be validated", "validate_files"),
            ("MediaWaiting", parts.media.dead_letters, "Media that could not be indexed", "index_media"),
        ):
            advice = Advice(
                meaning=f"{what} wait in a dead letter queue. Nothing is lost, and nobody goes on by itself.",
                steps=(
                    "Look at a message in the queue: which object?",
                    f"See in the log of {function} why it failed, and mend that.",
                    "Redrive the queue; what was done already is skipped.",
                ),
                console=queues_page(queue.queue_name),
                query=saved.name(self.stage, saved.ERRORS),
            )
            letters = of_queue(queue, "ApproximateNumberOfMessagesVisible")
            self.above(name, letters, 0, advice, periods=AT_ONCE)
        self._raise_on_calls()
        late = Advice(
            meaning=f"The oldest announced file has waited for more than {self._watch.queue_age_minutes} minutes.",
            steps=(
                "Is validate_files called, throttled or failing? See its graphs.",
                "Is the event source mapping of the queue enabled?",
                "A flood? It passes by itself; else raise max_concurrency of files in infra/stage.py.",
            ),
            console=queues_page(parts.files.queue.queue_name),
            query=saved.name(self.stage, saved.SLOWEST_FILES),
        )
        age = of_queue(parts.files.queue, "ApproximateAgeOfOldestMessage")
        self.above("FilesLate", age, 60 * self._watch.queue_age_minutes, late)

    def _raise_on_calls(self) -> None:
        queue = self._parts.missed_calls
        advice = Advice(
            meaning="A schedule could not start a conversion or the sweep of orphans, or the sweep failed.",
            steps=(
                "Look at the message in the dead letter queue: its attributes say what was refused, and why.",
                "Mend it; usually with `sluice deploy`.",
                "Purge the queue: the schedule's next time does the work of this one, too.",
            ),
            console=queues_page(queue.queue_name),
            query=saved.name(self.stage, saved.ERRORS),
        )
        letters = of_queue(queue, "ApproximateNumberOfMessagesVisible")
        self.above("CallsWaiting", letters, 0, advice, periods=AT_ONCE)

    def watch_the_watchers(self, letters: Sequence[sqs.IQueue]) -> None:
        """Raise an alarm when the probe, a digest or the record of a run waits in one of these queues."""
        advice = Advice(
            meaning="What watches the stage failed: a probe or digest was not called, or a run has no record.",
            steps=(
                "Look at the message in the dead letter queue: which function, which run?",
                "See that function's log, and mend what it says.",
                "Ends of runs: redrive their queue. Calls of schedules: purge theirs, the next time does the work.",
            ),
            console=queues_page(letters[0].queue_name),
            query=saved.name(self.stage, saved.ERRORS),
        )
        counts = {f"m{at}": of_queue(queue, "ApproximateNumberOfMessagesVisible") for at, queue in enumerate(letters)}
        total = combined(f"SUM([{', '.join(counts)}])", counts, "messages that wait")
        self.above("WatchingWaiting", total, 0, advice, periods=AT_ONCE)

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
