"""Steps of an inference and of a training between the mart and the model, each from objects of the lake to others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from sluice.lake.object_store import ObjectStore
from sluice.recommender.inference import INFERENCES_PREFIX, Inference, inference_before
from sluice.recommender.model.decision import Thresholds, Verdict, needs_retraining
from sluice.recommender.model.evaluation import day_over_day, evaluate
from sluice.recommender.model.interactions import Ids, Interactions, Split
from sluice.recommender.model.model import Model
from sluice.recommender.model.recommending import Recommendations, Similar, recommend, similar_tracks
from sluice.recommender.results import EVALUATION, RECOMMENDED, SIMILAR

LISTENS, TRAIN, HELD = "listens.npz", "train.npz", "held-out.npz"
PART_ROWS = 60_000
"""Rows of an object: twenty transactions of the mart."""

_COLUMNS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, slots=True)
class Counts:
    """What was recommended: users who have any, rows, users whose rows are the popular tracks, parts of each kind."""

    users: int
    recommendations: int
    popular_users: int
    recommended_parts: int
    similar_parts: int


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Figures of an inference by name, and whether the model is to be trained anew."""

    metrics: Mapping[str, float]
    day: Mapping[str, float]
    day_users: int
    verdict: Verdict


def prepare(lake: ObjectStore, inference: Inference) -> int:
    """Join users, tracks and listens to pairs, with how often each was played; return the number of pairs."""
    listeners, listened = (_ids(lake, inference, name) for name in ("listeners", "listened"))
    pairs = Interactions.of(listeners, listened)
    lake.write(inference.key(LISTENS), pairs.to_bytes())
    return pairs.pairs


def process(lake: ObjectStore, inference: Inference) -> int:
    """Write the pairs that a model may know and those held out; return how many are held out."""
    split = Interactions.from_bytes(lake.read(inference.key(LISTENS))).split()
    lake.write(inference.key(TRAIN), split.train.to_bytes())
    lake.write(inference.key(HELD), split.held.to_bytes())
    return split.held.pairs


def infer(lake: ObjectStore, inference: Inference) -> Counts:
    """Write recommendations for all users, and tracks that are like others.

    Raises:
        CorruptModelError: The model's file has changed since the inference was begun.
    """
    model = model_of(lake, inference)
    pairs = Interactions.from_bytes(lake.read(inference.key(LISTENS)))
    tracks, users = (_ids(lake, inference, name) for name in ("tracks", "users"))
    found = recommend(model, pairs, tracks, users)
    columns = {
        "user_id": found.users,
        "rank": found.ranks,
        "track_id": found.tracks,
        "score": found.scores,
        "popular": found.popular,
    }
    parts = _write_parts(lake, inference, RECOMMENDED, columns)
    similar = _similar_columns(similar_tracks(model, tracks)) if model else {}
    similar_parts = _write_parts(lake, inference, SIMILAR, similar) if similar else 0
    first = found.ranks == 1
    return Counts(int(first.sum()), len(found.users), int((first & found.popular).sum()), parts, similar_parts)


def assess(
    lake: ObjectStore, inference: Inference, thresholds: Thresholds, ndcg_at_training: float | None, age: float | None
) -> EvaluationResult:
    """Evaluate the model on the pairs held out, and what was recommended before on what was heard since."""
    metrics = evaluate(model_of(lake, inference), split_of(lake, inference)).metrics
    verdict = needs_retraining(metrics["ndcg_at_10"], thresholds, ndcg_at_training, age)
    day, day_users = dict.fromkeys(metrics, 0.0), 0
    if earlier := inference_before(lake, inference):
        prefix = f"{INFERENCES_PREFIX}{earlier}/"
        heard, shown = lake.find(f"{prefix}{LISTENS}"), _read_recommended(lake, prefix)
        if heard and len(shown.users):
            now = Interactions.from_bytes(lake.read(inference.key(LISTENS)))
            since = day_over_day(shown, Interactions.from_bytes(heard.body), now)
            day, day_users = since.metrics, len(since.users)
    result = EvaluationResult(metrics, day, day_users, verdict)
    lake.write(inference.key(EVALUATION), orjson.dumps(result))
    return result


def model_of(lake: ObjectStore, inference: Inference) -> Model | None:
    """Return the model of an inference; None: popularity. Raises CorruptModelError."""
    if not inference.model_key:
        return None
    return Model.from_bytes(lake.read(inference.model_key), inference.sha256)


def split_of(lake: ObjectStore, inference: Inference) -> Split:
    """Return the pairs that `process` wrote."""
    train, held = lake.read_all([inference.key(TRAIN), inference.key(HELD)])
    return Split(Interactions.from_bytes(train), Interactions.from_bytes(held))


def _ids(lake: ObjectStore, inference: Inference, name: str) -> Ids:
    return np.frombuffer(lake.read(inference.key(f"{name}.i64")), dtype="<i8")


def _write_parts(lake: ObjectStore, inference: Inference, kind: str, columns: Mapping[str, Any]) -> int:
    rows = len(next(iter(columns.values())))
    starts = range(0, rows, PART_ROWS)
    for number, start in enumerate(starts):
        part = {name: np.ascontiguousarray(values[start : start + PART_ROWS]) for name, values in columns.items()}
        lake.write(inference.key(f"{kind}{number:05}.json"), orjson.dumps(part, option=_COLUMNS))
    return len(starts)


def _similar_columns(similar: Similar) -> dict[str, Any]:
    return {
        "track_id": similar.tracks,
        "rank": similar.ranks,
        "other_id": similar.others,
        "score": similar.scores,
    }


def _read_recommended(lake: ObjectStore, prefix: str) -> Recommendations:
    parts = list(_parts(lake, prefix))

    def column(name: str, kind: str) -> Any:  # noqa: ANN401 - an array of that kind
        return np.concatenate([np.asarray(part[name], kind) for part in parts] or [np.empty(0, kind)])

    return Recommendations(
        column("user_id", "i8"),
        column("rank", "i4"),
        column("track_id", "i8"),
        column("score", "f4"),
        column("popular", "?"),
    )


def _parts(lake: ObjectStore, prefix: str) -> Iterator[Mapping[str, Any]]:
    for listed in lake.list(f"{prefix}{RECOMMENDED}"):
        yield orjson.loads(lake.read(listed.key))
