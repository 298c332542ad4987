"""The pipeline of the tables' upkeep as the platform sees it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sluice.observability import prices
from sluice.observability.pipeline import Pipeline
from sluice.observability.prices import Price
from sluice.runs.model import FinishedExecution, Result, RunKind, RunSummary

if TYPE_CHECKING:
    from sluice.observability.run_totals import RunTotals

COMPACT = "compact"
_COUNTS = {
    "files_replaced": "Small files of tables that were replaced by larger ones.",
    "files_made": "Files in their place.",
    "rows_rewritten": "Rows in these.",
    "duplicates": "Rows left out because their hour has the event already; only where a stage asks for it.",
    "hours_left": "Hours of tables that stay as they were.",
    "rows_expired": "Rows of tables that keep them for some days, of days that are over.",
    "snapshots_expired": "Old snapshots of tables that were removed.",
    "objects_deleted": "Objects in the tables' folders that nothing referred to.",
    "bytes_deleted": "Bytes of these.",
}


def summarise(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of Compact did."""
    output = execution.output
    counts = {name: int(output.get(name, 0)) for name in _COUNTS}
    return RunSummary(str(output.get("run_id", "")), str(output.get("status", "")), counts)


def _usage(totals: "RunTotals") -> Mapping[Price, float]:
    """Return what replacing files used: each is read once, the new one once more by its commit."""
    made = totals.count(COMPACT, "files_made")
    return {prices.OBJECT_GET: totals.count(COMPACT, "files_replaced") + made, prices.OBJECT_PUT: made}


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
    usage=_usage,
)
