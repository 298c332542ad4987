"""Runs of the machines Export and History: what one did, and how long the phases of an export took."""

from collections.abc import Mapping, Sequence

from sluice.observability.metrics import Metric
from sluice.runs.model import FinishedExecution, Result, RunKind, RunRecord, RunSummary, sum_counts
from sluice.vendor_exports.metrics import COPY_SECONDS, JOB_SECONDS

EXPORT, HISTORY = "export", "history"

# States of Export that functions run in and that records of runs are measured by.
CLAIM = "Claim the slot"
TRIGGER = "Trigger the job"
WAIT_FOR_BEGIN = "Wait for the job to begin"
CHECK_JOB = "Check the job"
WAIT_FOR_JOB = "Wait for the job"
LIST = "List the files"
WAIT_FOR_FILES = "Wait for the files"
COPY = "Copy the files"
CHECK_DELIVERY = "Check the delivery"
RECORD = "Record the result"
UPDATE_HISTORIES = "Update the histories"

JOB_STATES = (WAIT_FOR_BEGIN, CHECK_JOB, WAIT_FOR_JOB)
"""States between the trigger and the vendor's job being complete."""
COPY_STATES = (LIST, WAIT_FOR_FILES, COPY, CHECK_DELIVERY)
"""States from the list of files to the check that all arrived."""

_ENDED_AT_ONCE = {"busy": "skipped", "not_set_up": "not_set_up"}
"""Outcomes of exports that claimed no slot, by the decision."""


def summarise_export(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of Export did."""
    result = execution.output.get("result", {})
    outcome = _ENDED_AT_ONCE.get(execution.output.get("decision", ""), str(result.get("status", "")))
    places = {"files": result["folder"]} if result.get("folder") else {}
    return RunSummary(str(execution.output.get("export", {}).get("slot", "")), outcome, result, places=places)


def summarise_history(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of History did."""
    asked, merged = execution.input, execution.output.get("merged", {})
    subject = f"{asked['first']} to {asked['last']}" if {"first", "last"} <= asked.keys() else ""
    return RunSummary(subject, "initialised" if merged else "", merged)


def add_up_exports(runs: Sequence[RunRecord]) -> Mapping[str, int]:
    """Add up exports; of missing files, those that the last run of each slot left: a later run may copy them."""
    last = {run.subject: run for run in runs if run.counts.get("promised")}
    return {**sum_counts(runs), "missing": sum(run.counts.get("missing", 0) for run in last.values())}


def measure(record: RunRecord) -> dict[Metric, float]:
    """Return how long the vendor's job and the copy took, as far as this run has seen them from begin to end."""
    if record.kind != EXPORT:
        return {}
    seconds = {step.name: step.seconds for step in record.steps}
    phases = (
        (JOB_SECONDS, JOB_STATES, {TRIGGER, LIST}),
        (COPY_SECONDS, COPY_STATES, {CHECK_DELIVERY}),
    )
    return {
        metric: round(sum(seconds.get(name, 0.0) for name in names), 3)
        for metric, names, seen in phases
        if seen <= seconds.keys()
    }


EXPORTS = RunKind(
    name=EXPORT,
    title="export runs",
    outcomes={
        "delivered": Result.WORKED,
        "incomplete": Result.FAILED,
        "skipped": Result.IDLE,
        "not_set_up": Result.IDLE,
    },
    counts={
        "promised": "Files the vendor promised.",
        "copied": "Files this run copied.",
        "refetched": "Files of these that needed a further address.",
        "missing": "Promised files that did not arrive.",
        "bytes": "Bytes an export copied.",
    },
    summarise=summarise_export,
    add_up=add_up_exports,
)
HISTORIES = RunKind(
    name=HISTORY,
    title="history runs",
    outcomes={"initialised": Result.WORKED},
    counts={"observed": "Hours the histories were made of."},
    summarise=summarise_history,
    scheduled=False,
)
