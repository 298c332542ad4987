"""Runs of the machine Infer: what one did."""

from collections.abc import Mapping
from typing import Any

from sluice.recommender.inference import DONE, EMPTY, OVERTAKEN
from sluice.runs.model import FinishedExecution, Result, RunKind, RunSummary

INFER = "infer"

# States of Infer that functions run in.
BEGIN = "Begin"
EXTRACT = "Extract from the mart"
PREPARE = "Prepare"
PROCESS = "Process"
INFER_STATE = "Infer"
EVALUATE = "Evaluate"
KEEP = "Load into the lake"
LOAD = "Load into the mart"
RECORD = "Record the result"

INFERRED = "inferred"

_COUNTS = {
    "users": "Users who have recommendations.",
    "popular_users": "Of these, users of whom nothing is known, who have the popular tracks.",
    "recommendations": "Rows of recommendations.",
    "pairs": "Pairs of a user and a track that were listened to.",
}


def decision_of(output: Mapping[str, Any]) -> str:
    """Return what an execution of Infer with this output decided last: another inference may have come in between."""
    is_late = output.get("loaded", {}).get("is_shown") is False
    return OVERTAKEN if is_late else str(output.get("extracted", output).get("decision", ""))


def summarise(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of Infer did."""
    output = execution.output
    inference = output.get("inference", {})
    subject = str(inference.get("inference_id", ""))
    if "result" not in output:
        decision = decision_of(output)
        return RunSummary(subject, decision if decision in INFERENCES.outcomes else "")
    inferred = output["inferred"]
    counts = {name: inferred[name] for name in ("users", "popular_users", "recommendations")}
    return RunSummary(
        subject,
        INFERRED,
        {**counts, "pairs": output["prepared"]["pairs"]},
        rows={"RECOMMENDATIONS": inferred["recommendations"]},
        places={"result": str(output["result"]["key"])},
    )


INFERENCES = RunKind(
    name=INFER,
    title="inferences",
    outcomes={INFERRED: Result.WORKED, DONE: Result.IDLE, OVERTAKEN: Result.IDLE, EMPTY: Result.IDLE},
    counts=_COUNTS,
    summarise=summarise,
)
