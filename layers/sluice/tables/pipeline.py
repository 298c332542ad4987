"""The pipeline of the tables' upkeep as the platform sees it."""

from sluice.observability.pipeline import Pipeline
from sluice.runs.model import FinishedExecution, Result, RunKind, RunSummary

COMPACT = "compact"
_COUNTS = {
    "files_replaced": "Small files of tables that were replaced by larger ones.",
    "files_made": "Files in their place.",
    "rows_rewritten": "Rows in these.",
    "duplicates": "Rows left out because their hour has the event already; only where a stage asks for it.",
    "hours_left": "Hours of tables that stay as they were.",
    "snapshots_expired": "Old snapshots of tables that were removed.",
    "objects_deleted": "Objects in the tables' folders that nothing referred to.",
    "bytes_deleted": "Bytes of these.",
}


def summarise(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of Compact did."""
    output = execution.output
    counts = {name: int(output.get(name, 0)) for name in _COUNTS}
    return RunSummary(str(output.get("run_id", "")), str(output.get("status", "")), counts)


PIPELINE = Pipeline(
    name="tables",
    title="Tables",
    run_kinds=(
        RunKind(
            name=COMPACT,
            title="compactions",
            outcomes={"compacted": Result.WORKED, "nothing_to_do": Result.IDLE},
            counts=_COUNTS,
            summarise=summarise,
        ),
    ),
)
