"""Training as a job of SageMaker, for more than a function holds: the same search and training, between folders.

`python -m sluice.recommender.model.job` reads `train.npz` where SageMaker puts the channel `train`, and leaves
`model.npz` where SageMaker takes what was made from.
"""

import argparse
from pathlib import Path

from sluice.recommender.model.interactions import Interactions
from sluice.recommender.model.training import search, train


def main(arguments: list[str] | None = None) -> None:
    """Train with the pairs of a folder, and write the model into another."""
    parser = argparse.ArgumentParser(description="Train a model with train.npz.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--pairs", type=Path, default=Path("/opt/ml/input/data/train"))
    parser.add_argument("--model", type=Path, default=Path("/opt/ml/model"))
    given = parser.parse_args(arguments)
    pairs = Interactions.from_bytes((given.pairs / "train.npz").read_bytes())
    model = train(pairs, search(pairs, given.seed).settings, given.seed)
    (given.model / "model.npz").write_bytes(model.to_bytes())


if __name__ == "__main__":
    main()
