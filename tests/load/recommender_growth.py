"""Time and memory of the model for users x tracks x pairs: what a function holds. Not part of `make test`.

    OMP_WAIT_POLICY=PASSIVE .venv/bin/python -m tests.load.recommender_growth --users 100000 --tracks 100000 --each 20

Each size is a process of its own; processor seconds are of all threads, memory is the most the process had.
"""

import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import typer
from typer import echo

from sluice.recommender.model.evaluation import evaluate
from sluice.recommender.model.interactions import Ids, Interactions
from sluice.recommender.model.recommending import recommend, similar_tracks
from sluice.recommender.model.training import search, train

SCENES = 60
_T = TypeVar("_T")


def main(users: int = 10_000, tracks: int = 10_000, each: int = 20) -> None:
    """Train, evaluate and recommend once, and print what each step took."""
    pairs = _timed("matrix", lambda: Interactions.of(*_listens(users, tracks, each)))
    echo(f"{users:,} users, {tracks:,} tracks, {pairs.pairs:,} pairs")
    split = _timed("split", pairs.split)
    settings = _timed("search", lambda: search(split.train, seed=1)).settings
    model = _timed("train", lambda: train(split.train, settings, seed=1))
    result = _timed("evaluate", lambda: evaluate(model, split))
    found = _timed("recommend", lambda: recommend(model, pairs, pairs.tracks, pairs.users))
    _timed("similar tracks", lambda: similar_tracks(model, pairs.tracks))
    figures = result.metrics
    echo(f"{len(found.users):,} recommendations, {len(model.to_bytes()) / 1e6:.0f} MB of model, {settings}")
    echo(f"NDCG@10 {figures['ndcg_at_10']:.3f}, popularity {figures['popularity_ndcg_at_10']:.3f}")


def _listens(users: int, tracks: int, each: int) -> tuple[Ids, Ids]:
    """Return pairs of users with a scene, most of whose tracks get few listens."""
    rng = np.random.default_rng(1)
    listeners = np.repeat(np.arange(users), each)
    scene = np.where(rng.random(len(listeners)) < 0.8, listeners % SCENES, rng.integers(0, SCENES, len(listeners)))
    place = (tracks // SCENES * rng.random(len(listeners)) ** 3).astype(np.int64)
    return listeners, place * SCENES + scene


def _timed(step: str, work: Callable[[], _T]) -> _T:
    wall, processor = time.monotonic(), time.process_time()
    done = work()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    wall, processor = time.monotonic() - wall, time.process_time() - processor
    echo(f"  {step}: {processor:,.1f} processor seconds, {wall:,.1f} s, {memory:,} MB")
    return done


if __name__ == "__main__":
    typer.run(main)
