"""Every figure beside one that was computed in another way."""

import math
from dataclasses import replace

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from implicit.evaluation import ranking_metrics_at_k
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from sluice.recommender.model.evaluation import day_over_day, evaluate, interval
from sluice.recommender.model.interactions import Interactions, Split
from sluice.recommender.model.recommending import Recommendations, recommend
from sluice.recommender.model.settings import Settings
from sluice.recommender.model.training import train
from tests.recommender.listens import structured
from tests.recommender.unit.model.test_recommending import lists

SETTINGS = Settings(factors=16)
SPLIT = structured(users=300, tracks=300).split()
MODEL = train(SPLIT.train, SETTINGS, seed=1)


def wanted(held: Interactions) -> dict[int, set[int]]:
    """What there is to be found per user."""
    found = {int(user): set(held.tracks[held.plays[row].indices].tolist()) for row, user in enumerate(held.users)}
    return {user: tracks for user, tracks in found.items() if tracks}


def by_hand(recommended: dict[int, list[int]], held: dict[int, set[int]]) -> dict[str, float]:
    """Compute the figures user by user, as textbooks do."""
    ndcg, recall, hits = [], [], []
    for user, tracks in held.items():
        found = [track in tracks for track in recommended.get(user, [])]
        best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(tracks), 10) + 1))
        ndcg.append(sum(hit / math.log2(rank + 1) for rank, hit in enumerate(found, 1)) / best)
        recall.append(sum(found) / len(tracks))
        hits.append(any(found))
    means = [float(np.mean(each)) for each in (ndcg, recall, hits)]
    return dict(zip(("ndcg_at_10", "recall_at_10", "hit_rate_at_10"), means, strict=True))


def test_figures_are_those_computed_user_by_user() -> None:
    held = wanted(SPLIT.held)
    found = evaluate(MODEL, SPLIT)
    recommended = lists(recommend(MODEL, SPLIT.train, SPLIT.train.tracks, np.array(sorted(held))))
    popular = lists(recommend(None, SPLIT.train, SPLIT.train.tracks, np.array(sorted(held))))
    assert found.users.tolist() == sorted(held)
    shown = {track for tracks in recommended.values() for track in tracks}
    assert found.metrics == pytest.approx(
        by_hand(recommended, held)
        | {
            "popularity_ndcg_at_10": by_hand(popular, held)["ndcg_at_10"],
            "coverage": len(shown) / len(SPLIT.train.tracks),
        }
    )
    assert evaluate(None, SPLIT).metrics["ndcg_at_10"] == pytest.approx(found.metrics["popularity_ndcg_at_10"])


def test_figures_are_those_of_implicit_used_directly() -> None:
    """Its own training, recommending and evaluation, on the same matrix: all but rounding and users folded in."""
    binary = Interactions(SPLIT.train.users, SPLIT.train.tracks, SPLIT.train.plays.sign())
    fit, test = csr_matrix(binary.plays), csr_matrix(SPLIT.held.plays)
    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(factors=16, regularization=5.0, alpha=10.0, iterations=15, random_state=1)
        peer.fit(fit, show_progress=False)
        theirs = ranking_metrics_at_k(peer, fit, test, K=10, show_progress=False)
    ours = evaluate(train(binary, SETTINGS, seed=1), Split(binary, SPLIT.held))
    assert ours.metrics["ndcg_at_10"] == pytest.approx(theirs["ndcg"], rel=0.05)


def test_day_over_day_counts_what_was_heard_since() -> None:
    before = Interactions.of(np.array([1, 1, 2, 3]), np.array([10, 11, 10, 12]))
    now = Interactions.of(np.array([1, 1, 1, 2, 4, 3, 3]), np.array([10, 13, 14, 10, 13, 12, 12]))
    recommended = Recommendations(
        np.array([1, 1, 1, 2, 3]),
        np.array([1, 2, 3, 1, 1], np.int32),
        np.array([12, 13, 15, 14, 10]),
        np.zeros(5, np.float32),
        np.zeros(5, np.bool_),
    )
    found = day_over_day(recommended, before, now)
    assert found.users.tolist() == [1], "2 and 3 heard nothing new, 4 was recommended nothing"
    assert found.metrics == pytest.approx(
        {
            "ndcg_at_10": (1 / math.log2(3)) / (1 + 1 / math.log2(3)),
            "recall_at_10": 1 / 2,
            "hit_rate_at_10": 1,
            "coverage": 5 / 5,
            "popularity_ndcg_at_10": 0,
        }
    )
    nobody = day_over_day(recommended, now, now)
    assert len(nobody.users) == 0
    assert nobody.metrics["ndcg_at_10"] == nobody.metrics["popularity_ndcg_at_10"] == 0
    assert nobody.interval(1) == (0, 0)


def test_yesterdays_recommendations_find_what_is_heard_today() -> None:
    before, now = structured(0), structured(3)
    model = train(before.split().train, SETTINGS, seed=1)
    found = day_over_day(recommend(model, before, before.tracks, before.users), before, now).metrics
    assert found["ndcg_at_10"] > 2 * found["popularity_ndcg_at_10"] > 0


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    samples = [rng.beta(0.2, 0.8, 200) for _ in range(60)]
    held = sum(low <= 0.2 <= high for low, high in (interval(sample, seed=1) for sample in samples))
    assert held >= 57
    assert interval(samples[0], 5) == interval(samples[0], 5)


def test_the_same_split_with_other_ids_has_the_same_figures() -> None:
    """Ids are names: moving them together moves nothing else."""
    moved = Split(
        *(replace(pairs, users=pairs.users + 7, tracks=pairs.tracks + 9) for pairs in (SPLIT.train, SPLIT.held))
    )
    model = replace(MODEL, tracks=MODEL.tracks + 9)
    assert evaluate(model, moved).metrics == evaluate(MODEL, SPLIT).metrics
