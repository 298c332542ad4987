"""How good recommendations are: of a model on the pairs held out, and of a day on what was heard since."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sluice.recommender.model.interactions import Ids, Interactions, Split
from sluice.recommender.model.model import Model
from sluice.recommender.model.recommending import LIMIT, Recommendations, recommend

Figures = npt.NDArray[np.float64]

RESAMPLES = 1000
BEYOND_NOISE = 0.99  # of resamples that an interval holds: who retrains daily meets one in twenty every month


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures per user who has something to find, of what was recommended and of the popular tracks beside it.

    Attributes:
        users: Ids, sorted.
        ndcg: Gain of the hits among the first ten, discounted by rank, as a share of the best possible.
        recall: Share of what was to be found among the first ten.
        popularity_ndcg: The gain of the popular tracks that the user has not heard.
        coverage: Share of all tracks that were recommended to anybody.
    """

    users: Ids
    ndcg: Figures
    recall: Figures
    popularity_ndcg: Figures
    coverage: float

    @property
    def metrics(self) -> dict[str, float]:
        """The figures over all users; zero where there are none."""
        return {
            "ndcg_at_10": _mean(self.ndcg),
            "recall_at_10": _mean(self.recall),
            "hit_rate_at_10": _mean(self.recall > 0),
            "coverage": self.coverage,
            "popularity_ndcg_at_10": _mean(self.popularity_ndcg),
        }

    def interval(self, seed: int) -> tuple[float, float]:
        """Return between what NDCG@10 is, by bootstrap over users."""
        return interval(self.ndcg, seed)


def evaluate(model: Model | None, split: Split) -> Evaluation:
    """Return how well the held-out tracks are found by a model that knows of each user what is to train with."""
    users = split.held.users[np.diff(split.held.plays.indptr) > 0]
    return _evaluation(
        recommend(model, split.train, split.train.tracks, users),
        recommend(None, split.train, split.train.tracks, users),
        split.held.among(users),
    )


def day_over_day(recommended: Recommendations, before: Interactions, now: Interactions) -> Evaluation:
    """Return how much of what users heard since had been recommended to them, over those who were recommended any."""
    known = before.among(now.users).over(now.tracks).plays
    since = now.plays.copy()
    since.data = np.ones_like(since.data)
    since = since - since.multiply(known > 0)
    since.eliminate_zeros()
    users = now.users[(np.diff(since.indptr) > 0) & np.isin(now.users, recommended.users)]
    tracks = np.union1d(before.tracks, recommended.tracks)
    heard = Interactions(now.users, now.tracks, since.tocsr()).among(users)
    return _evaluation(recommended, recommend(None, before, tracks, users), heard)


def interval(figures: Figures, seed: int) -> tuple[float, float]:
    """Return the bounds of the mean of users' figures, by bootstrap; zero to zero of none."""
    if not len(figures):
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    means = [figures[rng.integers(0, len(figures), len(figures))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [(1 - BEYOND_NOISE) / 2, (1 + BEYOND_NOISE) / 2])
    return float(low), float(high)


def _evaluation(recommended: Recommendations, popular: Recommendations, wanted: Interactions) -> Evaluation:
    ndcg, recall = _found(recommended, wanted)
    popularity_ndcg, _ = _found(popular, wanted)
    shown = np.unique(recommended.tracks)
    coverage = len(shown) / max(len(np.union1d(shown, wanted.tracks)), 1)
    return Evaluation(wanted.users, ndcg, recall, popularity_ndcg, coverage)


def _found(recommended: Recommendations, wanted: Interactions) -> tuple[Figures, Figures]:
    """Return discounted gain and recall per row of what was wanted."""
    many = np.diff(wanted.plays.indptr)
    rows, columns = _rows(wanted.users, recommended.users), _rows(wanted.tracks, recommended.tracks)
    counts = (recommended.ranks <= LIMIT) & (rows >= 0) & (columns >= 0)
    rows, columns, ranks = rows[counts], columns[counts], recommended.ranks[counts]
    pairs = np.repeat(np.arange(len(many)), many) * len(wanted.tracks) + wanted.plays.indices
    hits = np.isin(rows * len(wanted.tracks) + columns, pairs)
    discounts = 1 / np.log2(np.arange(2, LIMIT + 2))
    gains = np.bincount(rows[hits], discounts[ranks[hits] - 1], len(many))
    best = np.concatenate(([0.0], np.cumsum(discounts)))[np.minimum(many, LIMIT)]
    found = np.bincount(rows[hits], minlength=len(many))
    return gains / np.maximum(best, discounts[-1]), found / np.maximum(many, 1)


def _rows(among: Ids, wanted: Ids) -> Ids:
    """Return the place of each id in sorted ids, or -1."""
    places = np.minimum(np.searchsorted(among, wanted), max(len(among) - 1, 0))
    return np.where(among[places] == wanted, places, -1) if len(among) else np.full(len(wanted), -1)


def _mean(figures: npt.NDArray[np.generic]) -> float:
    return float(figures.astype(np.float64).mean()) if len(figures) else 0.0
