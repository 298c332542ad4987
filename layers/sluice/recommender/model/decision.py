"""Whether a model is to be trained anew, and whether the new one is better beyond noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sluice.recommender.model.evaluation import Evaluation, interval


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When the champion is to be replaced.

    Attributes:
        absolute: NDCG@10 that it must have whatever it had when it was trained.
        relative: Share that must be left of its own NDCG@10 at training.
        max_age_days: Days after which it is trained anew however good it is.
    """

    absolute: float = 0.0
    relative: float = 0.9
    max_age_days: float = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The threshold that NDCG@10 was compared with, whether to retrain, and why."""

    threshold: float
    retrain: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Champion and candidate on the same pairs.

    Attributes:
        promote: Whether the candidate is to serve.
        learnt: Whether the candidate is better than popularity beyond noise; else nothing can be learnt of the data.
        reason: Why, in a sentence.
        difference: NDCG@10 of the candidate less that of the champion, or of popularity where there is none.
        low: The lower bound of that difference by a paired bootstrap over users.
        high: The upper bound.
        over_popularity: NDCG@10 of the candidate less that of popularity.
        over_popularity_low: The lower bound of that.
    """

    promote: bool
    learnt: bool
    reason: str
    difference: float
    low: float
    high: float
    over_popularity: float
    over_popularity_low: float


def needs_retraining(
    ndcg: float, thresholds: Thresholds, ndcg_at_training: float | None, age_days: float | None
) -> Verdict:
    """Return whether to train anew; the last two are those of the champion, none where there is no model yet."""
    if ndcg_at_training is None or age_days is None:
        return Verdict(thresholds.absolute, retrain=True, reason="there is no model in production yet")
    threshold = max(thresholds.absolute, thresholds.relative * ndcg_at_training)
    if ndcg < threshold:
        return Verdict(threshold, retrain=True, reason=f"NDCG@10 is {ndcg:.4f}, under its threshold {threshold:.4f}")
    if age_days > thresholds.max_age_days:
        reason = f"the model is {age_days:.0f} days old, and {thresholds.max_age_days:g} are allowed"
        return Verdict(threshold, retrain=True, reason=reason)
    return Verdict(threshold, retrain=False, reason=f"NDCG@10 is {ndcg:.4f}, its threshold {threshold:.4f}")


def compare(champion: Evaluation | None, candidate: Evaluation, seed: int) -> Comparison:
    """Return whether the candidate is better than popularity and champion beyond noise; both saw the same pairs.

    Raises:
        ValueError: they were evaluated on different users.
    """
    if champion is not None and not np.array_equal(champion.users, candidate.users):
        raise ValueError("champion and candidate were evaluated on different users: evaluate both on the same split")
    gains = candidate.ndcg - candidate.popularity_ndcg
    over_popularity, (popularity_low, popularity_high) = _mean(gains), interval(gains, seed)
    difference, (low, high) = over_popularity, (popularity_low, popularity_high)
    if champion is not None:
        gains = candidate.ndcg - champion.ndcg
        difference, (low, high) = _mean(gains), interval(gains, seed)
    learnt, better = popularity_low > 0, low > 0
    if not learnt:
        reason = (
            f"nothing can be learnt from these listens: NDCG@10 is {over_popularity:+.4f} beside the popular tracks', "
            f"between {popularity_low:+.4f} and {popularity_high:+.4f}"
        )
    else:
        than = "the popular tracks" if champion is None else "the champion"
        verb = "is better than" if better else "is not better beyond noise than"
        reason = f"the candidate {verb} {than}: NDCG@10 {difference:+.4f}, between {low:+.4f} and {high:+.4f}"
    return Comparison(learnt and better, learnt, reason, difference, low, high, over_popularity, popularity_low)


def _mean(figures: npt.NDArray[np.float64]) -> float:
    return float(figures.mean()) if len(figures) else 0.0
