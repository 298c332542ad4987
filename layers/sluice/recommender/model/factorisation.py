"""The one place that calls `implicit`: factorising, folding in, and the best of many scores."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.topk import topk
from threadpoolctl import threadpool_limits

from sluice.recommender.model.interactions import Matrix
from sluice.recommender.model.settings import Settings

Factors = npt.NDArray[np.float32]

BLOCK = 4096  # users at a time: bounds the memory, not the result


def factorise(weights: Matrix, settings: Settings, seed: int) -> Factors:
    """Return a row of factors per column of the weights."""
    with single_threaded():
        solver = _solver(settings, seed)
        solver.fit(weights, show_progress=False)
    factors: Factors = solver.item_factors
    return factors


def fold_in(factors: Factors, settings: Settings, weights: Matrix) -> Factors:
    """Return the factors of users by the weights of what they heard."""
    with single_threaded():
        solver = _solver(settings, 0)
        solver.item_factors = factors
        folded: Factors = solver.recalculate_user(np.arange(weights.shape[0]), weights)
    return folded


def best(
    factors: Factors, wanted: Factors, without: Matrix, limit: int
) -> tuple[npt.NDArray[np.int32], Factors, npt.NDArray[np.bool_]]:
    """Return columns and scores of the best per row, best first, and whether there was one for the place."""
    limit = min(limit, factors.shape[0])
    if not limit or not wanted.shape[0]:
        empty = np.zeros((wanted.shape[0], 0))
        return empty.astype(np.int32), empty.astype(np.float32), empty.astype(np.bool_)
    with single_threaded():
        columns, scores = topk(factors, wanted, limit, filter_query_items=without)
    return columns, scores, scores > np.finfo(np.float32).min / 2


def blocks(rows: int) -> Iterator[slice]:
    """Yield the rows in blocks."""
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))


def single_threaded() -> Any:  # noqa: ANN401 - threadpoolctl has no types
    """Return a context in which sums are added in one order; `implicit` itself works on users side by side."""
    return threadpool_limits(1, "blas")


def _solver(settings: Settings, seed: int) -> Any:  # noqa: ANN401 - implicit has no types
    return AlternatingLeastSquares(
        factors=settings.factors,
        regularization=settings.regularization,
        alpha=settings.alpha,
        iterations=settings.iterations,
        random_state=seed,
    )
