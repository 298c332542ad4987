"""How much a listen counts."""

import numpy as np

from sluice.recommender.model.interactions import Interactions, Matrix


def weights_of(pairs: Interactions) -> Matrix:
    """Return one and the logarithm of the plays: a hundred listens say more than one, not a hundred times as much."""
    weights = pairs.plays.copy()
    weights.data = (1 + np.log(np.maximum(weights.data, 1))).astype(np.float32)
    return weights
