"""The step of a training that makes the candidate, and compares it with the champion on the same pairs."""

import hashlib
from pathlib import Path

from sluice.lake.object_store import ObjectStore
from sluice.recommender import model as package
from sluice.recommender.candidate import Candidate, file_key
from sluice.recommender.inference import POPULARITY, Inference
from sluice.recommender.model.decision import compare
from sluice.recommender.model.evaluation import evaluate
from sluice.recommender.model.model import sha256_of
from sluice.recommender.model.training import search, train
from sluice.recommender.steps import model_of, split_of
from sluice.recommender.trainings import Training

SEED = 20
"""Of every training: the same listens, the same model."""


def make_candidate(lake: ObjectStore, training: Training, inference: Inference) -> Candidate:
    """Train a candidate with what the steps before wrote for an inference, evaluate it and its champion, keep it.

    Raises:
        NothingToLearnError: There are no pairs to train with.
        CorruptModelError: The champion's file has changed since the training was begun.
    """
    split = split_of(lake, inference)
    settings = search(split.train, SEED).settings
    candidate = train(split.train, settings, SEED)
    champion = model_of(lake, inference)
    mine = evaluate(candidate, split)
    other = evaluate(champion, split) if champion else None
    comparison = compare(other, mine, SEED)
    body = candidate.to_bytes()
    lake.write(file_key(training.version), body)
    made = Candidate(
        version=training.version,
        snapshot=inference.snapshot,
        trained_at=training.started_at,
        reason_to_train=training.reason,
        key=file_key(training.version),
        sha256=sha256_of(body),
        code_version=code_version(),
        seed=SEED,
        settings=settings.as_parameters(),
        metrics=mine.metrics,
        champion="" if inference.model_version == POPULARITY else inference.model_version,
        champion_metrics=other.metrics if other else {},
        comparison={
            "difference": comparison.difference,
            "low": comparison.low,
            "high": comparison.high,
            "over_popularity": comparison.over_popularity,
            "over_popularity_low": comparison.over_popularity_low,
        },
        promote=comparison.promote,
        reason=comparison.reason,
    )
    made.write(lake)
    return made


def code_version() -> str:
    """Return a digest of the code that models are made with: of the same code, the same."""
    digest = hashlib.sha256()
    for path in sorted(Path(package.__path__[0]).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
