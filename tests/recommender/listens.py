"""Listens to learn from: of the simulated application on a day, and ones drawn at random."""

from functools import cache

import numpy as np

from cli.api_simulator.population import Population
from sluice.recommender.model.interactions import Interactions


@cache
def structured(day: int = 0, users: int = 1000, tracks: int = 1000, seed: int = 1) -> Interactions:
    """Users with tastes, tracks with a long tail, drift from day to day."""
    people = Population(seed, day, tracks, users)
    pairs = [(user, track) for user in people.user_ids for track in people.history(user)["items"]]  # type: ignore[attr-defined]
    return Interactions.of(*np.array(pairs, np.int64).T)


def at_random(seed: int, users: int = 600, tracks: int = 400, each: int = 5) -> Interactions:
    """As the vendor's own demonstration server draws them: there is nothing to learn."""
    rng = np.random.default_rng(seed)
    return Interactions.of(np.repeat(np.arange(users), each), rng.integers(0, tracks, users * each))
