"""Recommendations for users, and tracks that are like others."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import identity

from sluice.recommender.model.factorisation import Factors, best, blocks, fold_in
from sluice.recommender.model.interactions import Ids, Interactions
from sluice.recommender.model.model import Model
from sluice.recommender.model.weights import weights_of

LIMIT = 10


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Recommended tracks in parallel arrays, by user and rank.

    Attributes:
        users: Ids.
        ranks: From 1.
        tracks: Ids.
        scores: Higher is better, within a user.
        popular: Whether it is there because others listen to it, since nothing is known of the user.
    """

    users: Ids
    ranks: npt.NDArray[np.int32]
    tracks: Ids
    scores: npt.NDArray[np.float32]
    popular: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Similar:
    """Tracks and those that are like them, in parallel arrays, by track and rank; scores are cosines."""

    tracks: Ids
    ranks: npt.NDArray[np.int32]
    others: Ids
    scores: npt.NDArray[np.float32]


def recommend(
    model: Model | None, pairs: Interactions, current: Ids, users: Ids, limit: int = LIMIT
) -> Recommendations:
    """Return the best tracks for users that they have not heard, out of the current ones.

    A user of whom the model knows no track gets the popular ones, as all do where there is no model.

    Args:
        model: The model, or none.
        pairs: All that was heard, held out or not.
        current: Ids of the tracks there are.
        users: Ids of the users, who need not have heard anything.
        limit: Tracks per user, at most.
    """
    current, users = np.unique(current), np.unique(users)
    popular, popularity = _popular(pairs, current, limit)
    parts = [
        _block(model, popular, popularity, pairs.among(users[rows]), current, limit)
        for rows in blocks(max(len(users), 1))
    ]
    columns = zip(*((part.users, part.ranks, part.tracks, part.scores, part.popular) for part in parts), strict=True)
    return Recommendations(*map(np.concatenate, columns))


def similar_tracks(model: Model, current: Ids, limit: int = LIMIT) -> Similar:
    """Return the current tracks the model knows, each with those that are nearest to it."""
    known = np.isin(model.tracks, current)
    tracks, factors = model.tracks[known], model.factors[known]
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    factors = (factors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    itself = identity(len(tracks), np.float32, "csr")
    columns, scores, there = zip(
        *(best(factors, factors[rows], itself[rows], limit) for rows in blocks(max(len(tracks), 1))), strict=True
    )
    places, found = np.concatenate(columns), np.concatenate(there)
    rows, ranks = np.nonzero(found)
    return Similar(tracks[rows], _from_one(ranks), tracks[places[found]], np.concatenate(scores)[found])


def _block(
    model: Model | None, popular: Ids, popularity: Factors, heard: Interactions, current: Ids, limit: int
) -> Recommendations:
    familiar = np.zeros(len(heard.users), np.bool_)
    if model is not None:
        familiar = np.diff(heard.over(model.tracks).plays.indptr) > 0
    of_others = _of_others(popular, popularity, heard.among(heard.users[~familiar]), limit)
    if model is None or not familiar.any():
        return of_others
    return _merged(of_others, _personal(model, heard.among(heard.users[familiar]), current, limit))


def _personal(model: Model, heard: Interactions, current: Ids, limit: int) -> Recommendations:
    wanted = fold_in(model.factors, model.settings, weights_of(heard.over(model.tracks)))
    known = np.isin(model.tracks, current)
    tracks = model.tracks[known]
    columns, scores, there = best(model.factors[known], wanted, heard.over(tracks).plays, limit)
    return _ranked(heard.users, tracks, columns, scores, there, popular=False)


def _popular(pairs: Interactions, current: Ids, limit: int) -> tuple[Ids, Factors]:
    """Return as many popular tracks as leave enough to whoever heard most, and the share of users who heard each."""
    listeners = pairs.over(current).listeners()
    most_heard = int(np.diff(pairs.plays.indptr).max(initial=0))
    first = np.sort(np.argsort(-listeners, kind="stable")[: limit + most_heard])
    first = first[listeners[first] > 0]
    return current[first], (listeners[first] / max(len(pairs.users), 1)).astype(np.float32)


def _of_others(popular: Ids, popularity: Factors, heard: Interactions, limit: int) -> Recommendations:
    everyone = np.ones((len(heard.users), 1), np.float32)
    columns, scores, there = best(popularity[:, None], everyone, heard.over(popular).plays, limit)
    return _ranked(heard.users, popular, columns, scores, there, popular=True)


def _ranked(
    users: Ids,
    tracks: Ids,
    columns: npt.NDArray[np.int32],
    scores: npt.NDArray[np.float32],
    there: npt.NDArray[np.bool_],
    *,
    popular: bool,
) -> Recommendations:
    rows, ranks = np.nonzero(there)
    return Recommendations(
        users[rows], _from_one(ranks), tracks[columns[there]], scores[there], np.full(len(rows), popular)
    )


def _merged(one: Recommendations, other: Recommendations) -> Recommendations:
    users = np.concatenate((one.users, other.users))
    order = np.argsort(users, kind="stable")
    return Recommendations(
        users[order],
        np.concatenate((one.ranks, other.ranks))[order],
        np.concatenate((one.tracks, other.tracks))[order],
        np.concatenate((one.scores, other.scores))[order],
        np.concatenate((one.popular, other.popular))[order],
    )


def _from_one(ranks: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
    return (ranks + 1).astype(np.int32)
