"""The same pairs, settings and seed give the same file; a file that is not whole is known."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sluice.recommender.model import job
from sluice.recommender.model.interactions import Interactions
from sluice.recommender.model.model import CorruptModelError, Model, sha256_of
from sluice.recommender.model.settings import GRID, Settings
from sluice.recommender.model.training import NothingToLearnError, search, train
from tests.recommender.listens import structured
from tests.support.synthesis import ROOT

AGAIN = """
from sluice.recommender.model.model import sha256_of
from sluice.recommender.model.training import search, train
from tests.recommender.listens import structured
pairs = structured(users=300, tracks=300).split().train
print(sha256_of(train(pairs, search(pairs, seed=7).settings, seed=7).to_bytes()))
"""


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_same_seed_is_the_same_model_in_any_process_on_any_number_of_threads(threads: str) -> None:
    pairs = structured(users=300, tracks=300).split().train
    settings = search(pairs, seed=7).settings
    written = sha256_of(train(pairs, settings, seed=7).to_bytes())
    assert written != sha256_of(train(pairs, settings, seed=8).to_bytes())
    paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers'}"}
    many = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run(
        [sys.executable, "-c", AGAIN], env=os.environ | paths | many, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == written, done.stderr


def test_a_model_is_read_as_it_was_written_and_damage_is_known() -> None:
    model = train(structured(users=100, tracks=100).split().train, Settings(8, 1.5, 3, 4), seed=1)
    body = model.to_bytes()
    read = Model.from_bytes(body, sha256_of(body))
    assert read.settings == model.settings
    np.testing.assert_array_equal(read.factors, model.factors)
    np.testing.assert_array_equal(read.tracks, model.tracks)
    damaged = body[:-9], body[:900] + b"\\0" + body[901:], b"", b"{}", body + b" "
    for other in damaged:
        with pytest.raises(CorruptModelError, match="was written; restore the object's earlier version"):
            Model.from_bytes(other, sha256_of(body))
    for other in (body[:-9], body[: len(body) // 2], b"", b"{}", Interactions.of(*np.ones((2, 3))).to_bytes()):
        with pytest.raises(CorruptModelError, match="the file is no model"):
            Model.from_bytes(other, sha256_of(other))


def test_the_search_takes_the_settings_that_do_best_on_pairs_that_validate() -> None:
    train_pairs = structured(users=300, tracks=300).split().train
    bad = Settings(factors=2, regularization=500.0, alpha=0.1, iterations=1)
    found = search(train_pairs, seed=1, grid=(bad, *GRID))
    figures = dict(found.trials)
    assert set(figures) == {bad, *GRID}
    assert figures[found.settings] == max(figures.values()) > figures[bad]
    assert search(train_pairs, seed=1, grid=(bad, *GRID)) == found


def test_of_nothing_nothing_is_learnt() -> None:
    nobody = np.array([], np.int64)
    with pytest.raises(NothingToLearnError, match="no listens to train with"):
        train(Interactions.of(nobody, nobody), Settings(), seed=1)


def test_a_job_between_folders_makes_the_same_model(tmp_path: Path) -> None:
    pairs = structured(users=100, tracks=100).split().train
    (tmp_path / "train.npz").write_bytes(pairs.to_bytes())
    job.main(["--seed", "7", "--pairs", str(tmp_path), "--model", str(tmp_path)])
    expected = train(pairs, search(pairs, seed=7).settings, seed=7)
    assert (tmp_path / "model.npz").read_bytes() == expected.to_bytes()
