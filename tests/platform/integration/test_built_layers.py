"""The layers themselves, built for this machine: all that a function has, in a bare interpreter."""

import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from infra.layers.layer_builder import BUDGET_MB, NATIVE, LayerBuild
from infra.platform.observability.settings import ExistingCluster, Observability, Search
from tests.bench.cloud.cold_start import start, variables_of
from tests.platform.infra.layers.test_imports import layers_of
from tests.platform.infra.test_functions import ALL_FOLDERS
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis, synthesise

CLUSTER = ExistingCluster(url="https://logs.example", arn="arn:aws:es:us-east-1:123456789012:domain/logs")
SEARCHED = replace(stage_named("int"), name="searched").having(Observability(search=Search(cluster=CLUSTER)))
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
CONVERT = """
import io, sys
sys.path[:0] = sys.argv[1:]
import pyarrow.parquet as pq
from sluice.contracts.load import load_registry
from sluice.event_files.convert.batches import by_hour, read_rows, to_parquet

contract = load_registry().contract("MICROONE_EVENT")
event = b'{"time": "2026-01-31T%02d:00:00Z", "detail": {"id": "%d"}}\\n'
lines = b"".join(event % (hour, hour) for hour in (7, 5, 7))
files = {hour: to_parquet(rows) for hour, rows in by_hour(read_rows(contract, lines))}
read = {hour: pq.read_table(io.BytesIO(body)) for hour, body in files.items()}
assert not {"numpy", "pandas"} & sys.modules.keys()
print({hour: rows["id"].to_pylist() for hour, rows in read.items()})
"""
TRAIN = """
import sys
sys.path[:0] = sys.argv[1:]
import numpy as np
from sluice.recommender.model.interactions import Interactions
from sluice.recommender.model.recommending import recommend
from sluice.recommender.model.settings import Settings
from sluice.recommender.model.training import train

users, tracks = np.divmod(np.delete(np.arange(60), [3, 5]), 6)  # ten users, and all but the first heard all six
pairs = Interactions.of(users, tracks)
model = train(pairs, Settings(factors=4), seed=1)
maps = open("/proc/self/maps").read().split()
print(np.sort(recommend(model, pairs, pairs.tracks, np.arange(10)).tracks), {path for path in maps if "gomp" in path})
"""

REGISTER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from sluice.recommender.registry_mlflow import opened

opened(Path(sys.argv[1])).create_registered_model("recommender")
assert not {"numpy", "pandas", "pyarrow"} & sys.modules.keys()
print([each.name for each in opened(Path(sys.argv[1])).search_registered_models()])
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder per layer."""
    folder = tmp_path_factory.mktemp("layers")
    for layer in BUDGET_MB:
        with zipfile.ZipFile(LayerBuild(layer, RUNNING, NATIVE).build()) as archive:
            archive.extractall(folder / layer)
    return folder


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """A stage that has every function."""
    return synthesise(SEARCHED, tmp_path_factory.mktemp(SEARCHED.name))


@pytest.mark.parametrize("folder", ["validate_files", *(each for each in ALL_FOLDERS if len(layers_of(each)) > 2)])
def test_a_function_starts_with_its_layers_alone(unpacked: Path, stage: Synthesis, folder: str) -> None:
    packages = [unpacked / layer / "python" for layer in sorted(layers_of(folder))]
    assert "sluice" in start(folder, variables_of(stage, folder), packages=packages, bare=True).modules


def test_the_layers_of_convert_read_json_compute_and_write_parquet(unpacked: Path) -> None:
    packages = [str(unpacked / layer / "python") for layer in sorted(layers_of("convert_batch"))]
    command = [sys.executable, "-I", "-S", "-c", CONVERT, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{'2026-01-31T05': ['5'], '2026-01-31T07': ['7', '7']}", done.stderr


def test_the_layer_science_trains_and_recommends(unpacked: Path) -> None:
    """With an OpenMP library of its own: Lambda's machine has none, and its loader looks into the layers' `lib`."""
    packages = [str(unpacked / layer / "python") for layer in ("science", "sluice")]
    libraries = str(unpacked / "science" / "lib")
    command = [sys.executable, "-I", "-S", "-c", TRAIN, *packages]
    looked_for = {"LD_LIBRARY_PATH": libraries}
    done = subprocess.run(command, env=os.environ | looked_for, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"[3 5] {{'{libraries}/libgomp.so.1'}}", done.stderr


def test_the_layer_mlflow_keeps_a_registry_in_a_file(unpacked: Path, tmp_path: Path) -> None:
    packages = [str(unpacked / layer / "python") for layer in ("mlflow", "runtime", "sluice")]
    command = [sys.executable, "-I", "-S", "-c", REGISTER, str(tmp_path / "mlflow.db"), *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['recommender']", done.stderr
