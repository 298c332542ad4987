"""What can go wrong with the vendor's exports, and what a person then does."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.platform.observability import saved_queries as saved
from infra.platform.observability.alarms import AT_ONCE, Advice, Alarms, Missing, Periods
from infra.platform.observability.console import function_page, machine_page, queues_page
from infra.platform.observability.measures import HOUR, combined, of_machine, of_queue, own
from infra.platform.observability.on_aws import OnAws
from infra.stage import Stage
from infra.vendor_exports.stack import ExportsStack
from sluice.observability import metrics
from sluice.observability.metrics import Metric, Pipeline

_UNTIL_THE_NEXT_RUN = Periods(1, 16)
"""What an export ended with stays in sight for 80 minutes: until the next one has ended, which may take longer."""


class ExportAlarms(Alarms):
    """From the schedule to the delivery."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, on_aws: OnAws, parts: ExportsStack
    ) -> None:
        """Raise them all."""
        super().__init__(scope, construct_id, stage=stage, on_aws=on_aws)
        self._parts = parts
        self._query = saved.name(stage, saved.EXPORTS)
        self._raise_on_calls()
        self._raise_on_ends()
        self._raise_on_files()
        self._raise_on_tokens()
        if stage.exports.schedule:
            self._raise_on_absence()

    def _raise_on_calls(self) -> None:
        queue = self._parts.missed_calls
        advice = Advice(
            meaning="The schedule could not start an export: its hour has no delivery.",
            steps=(
                "Look at the message in the dead letter queue: what does Step Functions say?",
                "Mend it, usually with `sluice deploy`.",
                "Within the hour: `sluice export`. Then purge the queue.",
            ),
            console=queues_page(queue.queue_name),
            query=self._query,
        )
        letters = of_queue(queue, "ApproximateNumberOfMessagesVisible")
        self.above("ExportCallsWaiting", letters, 0, advice, periods=AT_ONCE)

    def _raise_on_ends(self) -> None:
        machine = self._parts.export
        failed = Advice(
            meaning="An export failed, ran out of time or was aborted: its hour is not delivered whole.",
            steps=(
                "Open the execution: in which state did it end, with which cause?",
                "Find the cause in the runbook's tables, and do what they say.",
                "`sluice export --slot YYYYMMDD-HH` goes on with the same job; that is always harmless.",
            ),
            console=machine_page(machine),
            query=self._query,
        )
        names = {"failed": "ExecutionsFailed", "timed_out": "ExecutionsTimedOut", "aborted": "ExecutionsAborted"}
        ends = {key: of_machine(machine, name) for key, name in names.items()}
        total = combined(f"SUM([{', '.join(names)}])", ends, "exports that did not succeed")
        self.above("ExportFailed", total, 0, failed, periods=_UNTIL_THE_NEXT_RUN)
        minutes = self.stage.watch.export_minutes
        late = Advice(
            meaning=f"An export took more than {minutes} minutes; 15 to 25 are usual.",
            steps=(
                "Which phase? JobSeconds is the vendor's, CopySeconds ours.",
                "The vendor's: tell it if it stays so.",
                "Ours: more files than usual, or many fetched again? See the query.",
            ),
            console=machine_page(machine),
            query=self._query,
        )
        took = of_machine(machine, "ExecutionTime", "Maximum")
        self.above("ExportLate", took, 60_000 * minutes, late, periods=_UNTIL_THE_NEXT_RUN)

    def _raise_on_files(self) -> None:
        missing = Advice(
            meaning="Files the vendor promised are not there.",
            steps=(
                "Which hour? `sluice status`, or the query.",
                "`sluice export --slot YYYYMMDD-HH` copies what is missing, and names what it cannot get.",
                "Find each file's reason in the runbook's table, and do what it says.",
            ),
            console=machine_page(self._parts.export),
            query=self._query,
        )
        self.above("FilesMissing", self._own(metrics.FILES_MISSING), 0, missing, periods=_UNTIL_THE_NEXT_RUN)

    def _raise_on_tokens(self) -> None:
        refused = Advice(
            meaning="The vendor refuses our credentials.",
            steps=(
                "Were they rotated or revoked? Ask the vendor.",
                f"Put the new ones into the secret {self.stage.vendor_secret}; nothing has to be deployed.",
                "`sluice export --slot YYYYMMDD-HH` for each hour that failed.",
            ),
            console=function_page(self._parts.functions.export_steps.trigger),
            query=self._query,
        )
        self.above("TokensRefused", self._own(metrics.TOKENS_REFUSED), 0, refused, periods=_UNTIL_THE_NEXT_RUN)

    def _raise_on_absence(self) -> None:
        hours = self.stage.watch.export_absent_hours
        absent = Advice(
            meaning=f"No export was delivered whole for {hours} hours.",
            steps=(
                "Do exports run? `sluice status`; is their schedule enabled?",
                "They run and fail: see ExportFailed.",
                "Hours that are over can be had with `sluice export --slot YYYYMMDD-HH`.",
            ),
            console=machine_page(self._parts.export),
            query=self._query,
        )
        delivered = own(self.stage, metrics.EXPORTS_DELIVERED, Pipeline.EXPORTS, period=HOUR)
        # No figure at all: no export even ended.
        every = Periods(hours, hours)
        self.below("ExportAbsent", delivered, 1, absent, periods=every, missing=Missing.BREACHING)

    def _own(self, metric: Metric) -> cloudwatch.Metric:
        return own(self.stage, metric, Pipeline.EXPORTS)
