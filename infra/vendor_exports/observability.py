"""Saved queries, dashboard panels and alarms of the vendor's exports, and what a person does about each alarm."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.platform.observability.alarms import Advice, Alarms, Missing, Periods
from infra.platform.observability.cloudwatch import HOUR, QUARTER, function_page, machine_page, of_machine, own
from infra.platform.observability.saved_queries import Query
from infra.platform.observability.widgets import WHOLE, Panels, graph, heading, table, value
from infra.stage import Stage
from infra.vendor_exports.functions import ExportFunctions
from infra.vendor_exports.settings import VendorExports
from sluice.observability.metrics import Metric
from sluice.vendor_exports import metrics
from sluice.vendor_exports.pipeline import PIPELINE

EXPORTS = Query(
    "exports by slot",
    'filter message = "recorded"'
    " | fields @timestamp, slot, status, promised, copied, missing, refetched, bytes, cause"
    " | sort @timestamp desc | limit 48",
    "record_result",
)
SAVED_QUERIES = (EXPORTS,)


def panels(stage: Stage, functions: Sequence[PythonFunction]) -> Panels:
    """Return what the vendor delivered, how long it took, and what went wrong."""

    def shown(*names: Metric, statistic: str = "Sum") -> list[cloudwatch.Metric]:
        return [own(stage, metric, PIPELINE.name, statistic, QUARTER) for metric in names]

    (delivered,) = shown(metrics.EXPORTS_DELIVERED)
    counts = (metrics.FILES_PROMISED, metrics.FILES_COPIED, metrics.FILES_MISSING, metrics.FILES_REFETCHED)
    phases = shown(metrics.JOB_SECONDS, metrics.COPY_SECONDS, statistic="Maximum")
    refused = shown(metrics.TOKENS_REFUSED, metrics.UNKNOWN_STATUSES)
    return Panels(
        business_figures=[value("Exports delivered", delivered)],
        business=[
            [heading("Vendor exports")],
            [
                graph("Delivered an hour", [delivered.with_(period=HOUR)], width=6),
                graph("Files", shown(*counts), width=6),
                graph("Seconds by phase", phases, width=6, unit="s"),
                graph("Refused and not understood", refused, width=6),
            ],
            [table(EXPORTS, functions, width=WHOLE)],
        ],
    )


_UNTIL_THE_NEXT_RUN = Periods(1, 16)
"""The end of an export stays in sight for 80 minutes: until the next one has ended, which may take longer."""


def raise_alarms(
    alarms: Alarms, functions: ExportFunctions, machine: Machine, missed_calls: sqs.IQueue, secret_arn: str
) -> None:
    """Raise alarms on all that can go wrong, from the schedule to the delivery."""
    alarms.on_letters(
        "ExportCallsWaiting",
        [missed_calls],
        "The schedule could not start an export: its hour has no delivery.",
        (
            "Look at the message in the dead letter queue: what does Step Functions say?",
            "Mend it, usually with `sluice deploy`.",
            "Within the hour: `sluice export`. Then purge the queue.",
        ),
        EXPORTS,
    )
    alarms.on_failed_runs(
        "ExportFailed",
        machine,
        "An export failed, ran out of time or was aborted: its hour is not delivered whole.",
        (
            "Open the execution: in which state did it end, with which cause?",
            "Find the cause in the runbook's tables, and do what they say.",
            "`sluice export --slot YYYYMMDD-HH` goes on with the job, if there is one; that is always harmless.",
        ),
        EXPORTS,
        periods=_UNTIL_THE_NEXT_RUN,
    )
    _on_delivery(alarms, machine)
    _on_refused_tokens(alarms, functions, secret_arn)
    if alarms.stage.settings(VendorExports).schedule:
        _on_absence(alarms, machine)


def _on_delivery(alarms: Alarms, machine: Machine) -> None:
    minutes = alarms.stage.settings(VendorExports).late_minutes
    late = Advice(
        meaning=f"An export took more than {minutes} minutes; 15 to 25 are usual.",
        steps=(
            "Which phase? JobSeconds is the vendor's, CopySeconds ours.",
            "The vendor's: tell it if it stays so.",
            "Ours: more files than usual, or many fetched again? See the query.",
        ),
        console=machine_page(machine),
        query=EXPORTS,
    )
    took = of_machine(machine, "ExecutionTime", "Maximum")
    alarms.above("ExportLate", took, 60_000 * minutes, late, periods=_UNTIL_THE_NEXT_RUN)
    missing = Advice(
        meaning="Files the vendor promised are not there.",
        steps=(
            "Which hour? `sluice status`, or the query.",
            "`sluice export --slot YYYYMMDD-HH` copies what is missing, and names what it cannot get.",
            "Find each file's reason in the runbook's table, and do what it says.",
        ),
        console=machine_page(machine),
        query=EXPORTS,
    )
    files = own(alarms.stage, metrics.FILES_MISSING, PIPELINE.name)
    alarms.above("FilesMissing", files, 0, missing, periods=_UNTIL_THE_NEXT_RUN)


def _on_refused_tokens(alarms: Alarms, functions: ExportFunctions, secret_arn: str) -> None:
    refused = Advice(
        meaning="The vendor refuses our credentials.",
        steps=(
            "Were they rotated or revoked? Ask the vendor.",
            f"Put the new ones into the secret {secret_arn}; nothing has to be deployed.",
            "Within the hour: `sluice export`. Later, where the hour has a job: `sluice export --slot YYYYMMDD-HH`.",
        ),
        console=function_page(functions.trigger_job),
        query=EXPORTS,
    )
    tokens = own(alarms.stage, metrics.TOKENS_REFUSED, PIPELINE.name)
    alarms.above("TokensRefused", tokens, 0, refused, periods=_UNTIL_THE_NEXT_RUN)


def _on_absence(alarms: Alarms, machine: Machine) -> None:
    hours = alarms.stage.settings(VendorExports).absent_hours
    absent = Advice(
        meaning=f"No export succeeded for {hours} hours.",
        steps=(
            "Do exports run? `sluice status`; is their schedule enabled?",
            "They run and fail: see ExportFailed.",
            "Hours that are over can be had from their jobs, or another bucket: see *Gaps* in the runbook.",
        ),
        console=machine_page(machine),
        query=EXPORTS,
    )
    # Runs that are idle until the vendor's secret is put in succeed, too. No figure at all: none even ended.
    succeeded = of_machine(machine, "ExecutionsSucceeded").with_(period=HOUR)
    alarms.above(
        "ExportAbsent",
        succeeded,
        1,
        absent,
        periods=Periods(hours, hours),
        missing=Missing.BREACHING,
        comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    )
