"""On listens with structure a model learns, ages, and is replaced by a better one; on random ones none is promoted."""

from dataclasses import replace

import numpy as np
import pytest

from sluice.recommender.model.decision import Thresholds, compare, needs_retraining
from sluice.recommender.model.evaluation import Evaluation, evaluate
from sluice.recommender.model.interactions import Interactions
from sluice.recommender.model.model import Model
from sluice.recommender.model.training import search, train
from tests.recommender.listens import at_random, structured


def retrained(pairs: Interactions) -> tuple[Model, Evaluation]:
    """The candidate that these listens give, and its figures."""
    split = pairs.split()
    model = train(split.train, search(split.train, seed=1).settings, seed=1)
    return model, evaluate(model, split)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_model_is_twice_as_good_as_popularity_ages_and_is_replaced_by_a_better_one(seed: int) -> None:
    thresholds = Thresholds()
    champion, at_first = retrained(structured(0, seed=seed))
    figure = at_first.metrics["ndcg_at_10"]
    assert figure > 2 * at_first.metrics["popularity_ndcg_at_10"]
    assert compare(None, at_first, seed=1).promote
    ages = {day: evaluate(champion, structured(day, seed=seed).split()) for day in (0, 5, 30)}
    verdicts = {day: needs_retraining(found.metrics["ndcg_at_10"], thresholds, figure, day) for day, found in
                ages.items()}  # fmt: skip
    assert {day: verdict.retrain for day, verdict in verdicts.items()} == {0: False, 5: False, 30: True}
    assert "under its threshold" in verdicts[30].reason
    _, candidate = retrained(structured(30, seed=seed))
    comparison = compare(ages[30], candidate, seed=1)
    assert comparison.promote
    assert 0 < comparison.low < comparison.difference < comparison.high
    assert "is better than the champion" in comparison.reason
    assert candidate.metrics["ndcg_at_10"] > verdicts[30].threshold, "the figure recovers"


@pytest.mark.parametrize("seed", range(3))
def test_of_random_listens_nothing_is_promoted_and_it_is_said_that_nothing_can_be_learnt(seed: int) -> None:
    pairs = at_random(seed)
    _, first = retrained(pairs)
    comparison = compare(None, first, seed=1)
    assert not comparison.promote
    assert not comparison.learnt
    assert "nothing can be learnt from these listens" in comparison.reason
    champion, _ = retrained(at_random(seed + 100))
    assert not compare(evaluate(champion, pairs.split()), first, seed=1).promote


def test_a_candidate_that_is_no_better_than_the_champion_is_kept_beside_it() -> None:
    split = structured().split()
    settings = search(split.train, 1).settings
    champion, candidate = (evaluate(train(split.train, settings, seed), split) for seed in (1, 2))
    comparison = compare(champion, candidate, seed=1)
    assert (comparison.promote, comparison.learnt) == (False, True)
    assert "not better beyond noise than the champion" in comparison.reason
    assert comparison == compare(champion, candidate, seed=1)


def test_models_are_compared_on_the_same_users_only() -> None:
    _, figures = retrained(structured(users=100, tracks=100))
    with pytest.raises(ValueError, match="different users"):
        compare(replace(figures, users=figures.users + 1), figures, seed=1)


def test_of_nobody_nothing_is_promoted() -> None:
    none = np.array([])
    nobody = Evaluation(np.array([], np.int64), none, none, none, 0.0)
    assert not compare(None, nobody, seed=1).promote
    assert not compare(nobody, nobody, seed=1).promote


@pytest.mark.parametrize(
    ("ndcg", "at_training", "age", "retrain", "threshold", "reason"),
    [
        (0.30, 0.30, 1, False, 0.27, "NDCG@10 is 0.3000, its threshold 0.2700"),
        (0.27, 0.30, 1, False, 0.27, "its threshold"),
        (0.26, 0.30, 1, True, 0.27, "NDCG@10 is 0.2600, under its threshold 0.2700"),
        (0.20, 0.20, 1, True, 0.25, "under its threshold 0.2500"),
        (0.30, 0.30, 31, True, 0.27, "the model is 31 days old, and 30 are allowed"),
        (0.30, None, None, True, 0.25, "there is no model in production yet"),
    ],
)
def test_a_model_is_trained_anew_when_it_got_worse_or_old(
    *, ndcg: float, at_training: float | None, age: float | None, retrain: bool, threshold: float, reason: str
) -> None:
    verdict = needs_retraining(ndcg, Thresholds(absolute=0.25, relative=0.9, max_age_days=30), at_training, age)
    assert verdict.retrain == retrain
    assert verdict.threshold == pytest.approx(threshold)
    assert reason in verdict.reason
