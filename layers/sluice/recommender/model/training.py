"""Training, and the small search for its settings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sluice.recommender.model.evaluation import evaluate
from sluice.recommender.model.factorisation import factorise
from sluice.recommender.model.interactions import Interactions
from sluice.recommender.model.model import Model
from sluice.recommender.model.settings import GRID, Settings
from sluice.recommender.model.weights import weights_of

SEARCH_USERS = 10_000  # settings that suit so many suit the others


class NothingToLearnError(Exception):
    """There are no pairs to train with."""


@dataclass(frozen=True, slots=True)
class Search:
    """Settings that were tried, with NDCG@10 of the pairs that validate, and the best of them."""

    settings: Settings
    trials: list[tuple[Settings, float]]


def train(pairs: Interactions, settings: Settings, seed: int) -> Model:
    """Return the model of pairs to train with: of the same pairs, settings and seed the same bits.

    Raises:
        NothingToLearnError: there are none.
    """
    if not pairs.pairs:
        raise NothingToLearnError("no listens to train with; pull the application's data first")
    heard = pairs.over(pairs.tracks[pairs.listeners() > 0])
    return Model(heard.tracks, factorise(weights_of(heard), settings, seed), settings)


def search(train_pairs: Interactions, seed: int, grid: Sequence[Settings] = GRID) -> Search:
    """Return the settings that do best on a part of the pairs to train with; the held-out ones are not touched."""
    users = train_pairs.users
    if len(users) > SEARCH_USERS:
        chosen = np.random.default_rng(seed).choice(len(users), SEARCH_USERS, replace=False)
        train_pairs = train_pairs.among(users[np.sort(chosen)])
    split = train_pairs.validation_split()
    figures = [evaluate(train(split.train, settings, seed), split).metrics["ndcg_at_10"] for settings in grid]
    return Search(grid[int(np.argmax(figures))], list(zip(grid, figures, strict=True)))
