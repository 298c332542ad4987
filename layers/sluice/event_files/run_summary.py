"""Runs of the machine Convert: what one did, read from its execution and the summary that its commit left."""

import orjson

from sluice.lake.object_store import commit_key
from sluice.runs.model import FinishedExecution, Result, RunKind, RunSummary

CONVERT = "convert"
_PLANNED = "planned"


def summarise(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of Convert did; the counts of a run are those of the execution that committed it."""
    run_id = str(execution.output.get("run_id") or "")
    status = str(execution.output.get("status", ""))
    if not execution.succeeded or status != _PLANNED:
        return RunSummary(run_id, status)
    key = commit_key(run_id)
    commit = orjson.loads(execution.read(key))
    rows, dirty = commit["rows"], commit.get("dirty", {})
    totals = {"rows": sum(rows.values()), "dirty": sum(sum(reasons.values()) for reasons in dirty.values())}
    totals["chunks_left_out"] = len(commit.get("left_out", ()))
    return RunSummary(run_id, "converted", {**commit, **totals}, rows, dirty, {"summary": key})


CONVERSIONS = RunKind(
    name=CONVERT,
    title="conversions",
    outcomes={"converted": Result.WORKED, "nothing_to_do": Result.IDLE, "busy": Result.IDLE},
    counts={
        "files": "Source objects converted.",
        "events": "Clean events converted.",
        "rows": "Rows written.",
        "parquet_files": "Parquet files written.",
        "parquet_bytes": "Bytes of these.",
        "dirty": "Dirty events that arrived with them.",
        "dirty_bytes": "Bytes of the source objects whose content is dirty.",
        "dirty_files": "Files with dirty events and no clean one.",
        "unrelated": "Events of other producers that arrived with them.",
        "unknown_members": "Members that no contract has.",
        "media_missing": "Media that events name and the index lacks.",
        "bytes": "Bytes of the source objects.",
        "chunks_left_out": "Chunks that could not be converted, so that they wait.",
    },
    summarise=summarise,
)
