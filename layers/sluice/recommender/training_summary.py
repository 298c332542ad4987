"""Runs of the machine Retrain: what one did."""

from sluice.recommender.inference import EMPTY, OVERTAKEN
from sluice.recommender.trainings import BUSY
from sluice.runs.model import FinishedExecution, Result, RunKind, RunSummary

RETRAIN = "retrain"

# States of Retrain that functions run in, besides those that it shares with Infer.
TRAIN_STATE = "Train"
REGISTER = "Register"
PROMOTE = "Promote"

PROMOTED, KEPT = "promoted", "kept"


def summarise(execution: FinishedExecution) -> RunSummary:
    """Return what an execution of Retrain did."""
    output = execution.output
    subject = str(output.get("training", {}).get("version", ""))
    result = output.get("result")
    if not result:
        overtaken = output.get("extracted", {}).get("decision") == OVERTAKEN
        decision = OVERTAKEN if overtaken else str(output.get("decision", ""))
        return RunSummary(subject, decision if decision in TRAININGS.outcomes else "")
    counts = {"promoted": int(result["promoted"]), "train_pairs": output["prepared"]["pairs"]}
    places = {"result": str(result["key"])}
    return RunSummary(subject, PROMOTED if result["promoted"] else KEPT, counts, places=places)


TRAININGS = RunKind(
    name=RETRAIN,
    title="trainings",
    outcomes={
        PROMOTED: Result.WORKED,
        KEPT: Result.WORKED,
        BUSY: Result.IDLE,
        OVERTAKEN: Result.IDLE,
        EMPTY: Result.IDLE,
    },
    counts={
        "promoted": "Models that came into production.",
        "train_pairs": "Pairs of a user and a track that were trained and evaluated with.",
    },
    summarise=summarise,
)
