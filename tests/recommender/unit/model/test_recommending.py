"""What is recommended, beside the same computed densely and by hand."""

import numpy as np
import pytest

from sluice.recommender.model import factorisation
from sluice.recommender.model.interactions import Ids, Interactions
from sluice.recommender.model.model import Model
from sluice.recommender.model.recommending import Recommendations, recommend, similar_tracks
from sluice.recommender.model.settings import Settings
from sluice.recommender.model.training import train
from sluice.recommender.model.weights import weights_of
from tests.recommender.listens import structured

PAIRS = structured(users=150, tracks=200)
MODEL = train(PAIRS.split().train, Settings(factors=16), seed=1)


def lists(found: Recommendations) -> dict[int, list[int]]:
    """The tracks of every user by rank."""
    order = np.lexsort((found.ranks, found.users))
    tracks: dict[int, list[int]] = {}
    for user, track in zip(found.users[order], found.tracks[order], strict=True):
        tracks.setdefault(int(user), []).append(int(track))
    return tracks


def by_hand(model: Model, pairs: Interactions, current: Ids) -> dict[int, list[int]]:
    """Solve each user's equations densely, and sort all tracks."""
    factors, settings = model.factors.astype(np.float64), model.settings
    weights = weights_of(pairs.over(model.tracks)).toarray().astype(np.float64) * settings.alpha
    found = {}
    for row, user in enumerate(pairs.users):
        confidence = np.where(weights[row] > 0, weights[row], 1)
        left = (factors.T * confidence) @ factors + settings.regularization * np.eye(settings.factors)
        wanted = np.linalg.solve(left, factors.T @ weights[row])
        heard = set(pairs.tracks[pairs.plays[row].indices])
        scores = {
            int(track): score for track, score in zip(model.tracks, factors @ wanted, strict=True)
            if track not in heard and track in current
        }  # fmt: skip
        if weights[row].any():
            found[int(user)] = sorted(scores, key=scores.__getitem__, reverse=True)[:10]
    return found


def test_the_best_tracks_are_those_of_the_users_equations() -> None:
    current = PAIRS.tracks[PAIRS.tracks % 7 > 0]
    found = recommend(MODEL, PAIRS, current, PAIRS.users)
    personal = {user: tracks for user, tracks in lists(found).items() if not found.popular[found.users == user].any()}
    assert personal == by_hand(MODEL, PAIRS, current)
    assert len(personal) > 100
    assert all(np.all(np.diff(found.scores[found.users == user]) <= 0) for user in PAIRS.users)


def test_tracks_that_are_gone_or_heard_are_never_recommended_and_users_without_history_get_the_popular() -> None:
    gone, new_user, only_new_tracks = PAIRS.tracks[::3], 10**9, 10**9 + 1
    heard = {(int(user), int(track)) for user, track in _pairs(PAIRS)} | {(only_new_tracks, 999_999)}
    pairs = Interactions.of(*np.array(sorted(heard)).T)
    current = np.append(np.setdiff1d(PAIRS.tracks, gone), 999_999)
    found = recommend(MODEL, pairs, current, np.append(pairs.users, new_user))
    shown = set(zip(found.users.tolist(), found.tracks.tolist(), strict=True))
    assert not shown & heard
    assert {track for _, track in shown} <= set(current.tolist())
    assert set(found.users[found.popular].tolist()) == {new_user, only_new_tracks}
    listeners = {int(track): sum(pair[1] == track for pair in heard) for track in current}
    most = sorted(listeners.values(), reverse=True)[:10]
    assert [listeners[track] for track in lists(found)[new_user]] == most
    assert np.bincount(found.ranks).tolist()[1:] == [len(pairs.users) + 1] * 10


def test_blocks_bound_memory_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, near = recommend(MODEL, PAIRS, PAIRS.tracks, PAIRS.users), similar_tracks(MODEL, PAIRS.tracks)
    monkeypatch.setattr(factorisation, "BLOCK", 7)
    parts, near_by_parts = recommend(MODEL, PAIRS, PAIRS.tracks, PAIRS.users), similar_tracks(MODEL, PAIRS.tracks)
    assert lists(parts) == lists(whole)
    assert parts.popular.tolist() == whole.popular.tolist()
    assert parts.scores == pytest.approx(whole.scores, abs=1e-5)
    assert near_by_parts.tracks.tolist() == near.tracks.tolist()
    assert near_by_parts.scores == pytest.approx(near.scores, abs=1e-5)


def test_without_a_model_all_get_the_popular_and_with_nothing_nobody_gets_anything() -> None:
    found = recommend(None, PAIRS, PAIRS.tracks, PAIRS.users)
    assert found.popular.all()
    assert len(found.users) == 10 * len(PAIRS.users)
    nobody = np.array([], np.int64)
    for current, users in ((nobody, PAIRS.users), (PAIRS.tracks, nobody), (nobody, nobody)):
        assert len(recommend(MODEL, PAIRS, current, users).users) == 0
        assert len(recommend(None, Interactions.of(nobody, nobody), current, users).users) == 0
    assert len(similar_tracks(MODEL, nobody).tracks) == 0


def test_fewer_tracks_than_places_leave_places_empty() -> None:
    found = recommend(MODEL, PAIRS, PAIRS.tracks[:4], PAIRS.users)
    assert all(len(tracks) <= 4 for tracks in lists(found).values())
    assert np.isfinite(found.scores).all()
    assert found.scores.min() > -10


def test_similar_tracks_are_the_nearest_by_angle() -> None:
    current = PAIRS.tracks[::2]
    found = similar_tracks(MODEL, current, limit=5)
    known = np.isin(MODEL.tracks, current)
    tracks, factors = MODEL.tracks[known], MODEL.factors[known].astype(np.float64)
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    cosines = factors @ factors.T - 9 * np.eye(len(tracks))
    for row, track in enumerate(tracks):
        mine = found.tracks == track
        assert cosines[row, np.searchsorted(tracks, found.others[mine])] == pytest.approx(found.scores[mine], abs=1e-5)
        assert found.scores[mine] == pytest.approx(np.sort(cosines[row])[::-1][:5], abs=1e-5)


def _pairs(pairs: Interactions) -> np.ndarray:
    rows, columns = pairs.plays.nonzero()
    return np.stack((pairs.users[rows], pairs.tracks[columns]), axis=1)
