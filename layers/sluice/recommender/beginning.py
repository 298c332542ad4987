"""The beginning of an inference: for which snapshot, by which model, and whether it is done already."""

from sluice.lake.object_store import ObjectStore
from sluice.recommender.champion import Champion
from sluice.recommender.inference import DONE, EMPTY, INFER, POPULARITY, Inference, Latest, Snapshot


def begin(lake: ObjectStore, snapshot: Snapshot | None) -> tuple[str, Inference | None]:
    """Return the decision, and the inference of the mart's snapshot by the model in production."""
    if snapshot is None:
        return EMPTY, None
    inference = inference_of(lake, snapshot)
    latest = Latest.read(lake)
    is_shown = latest is not None and latest.inference_id == inference.inference_id
    is_done = is_shown and lake.exists(inference.result_key)  # one that broke off after it was shown is done again
    return DONE if is_done else INFER, inference


def inference_of(lake: ObjectStore, snapshot: Snapshot) -> Inference:
    """Return the inference of a snapshot by the newest champion whose file is whole; popularity where there is none."""
    champion = Champion.read(lake)
    version, faults = champion.usable(lake)
    if version is None:
        return Inference.of(snapshot, POPULARITY, "", "", faults)
    promoted_at = champion.current.promoted_at if champion.current else ""
    return Inference.of(snapshot, version.version, version.key, version.sha256, faults, promoted_at)
