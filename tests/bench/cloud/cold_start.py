"""Modules and megabytes of layers that a cold start loads beyond boto3.

.venv/bin/python -m tests.bench.cloud.cold_start
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.layers.layer_builder import LAYERS, LayerBuild
from tests.bench.result import Result
from tests.platform.infra.layers.test_imports import layers_of
from tests.support.source_files import handler_path
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis, synthesise, text

_STAGE = "int"
_PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
# boto3 with one client comes first: every function needs it.
_PROBE = """
import json, runpy, sys, time
import boto3
boto3.client("s3")
known, begun = set(sys.modules), time.perf_counter()
runpy.run_path(sys.argv[1])
print(json.dumps({"seconds": time.perf_counter() - begun, "modules": sorted(sys.modules.keys() - known)}))
"""
CREDENTIALS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds and modules of importing a handler."""

    seconds: float
    modules: Sequence[str]


def start(
    folder: str, variables: Mapping[str, str], *, packages: Sequence[Path] = (LAYERS,), bare: bool = False
) -> Start:
    """Import a function's handler in a process of its own.

    `bare` leaves out what is installed here, so that `packages` are all there is.
    """
    # The layer of httpx has no click; where that is there, httpx imports its command line.
    hidden = "" if bare else 'sys.modules["click"] = None'
    script = f"import sys; sys.path[:0] = {[str(path) for path in packages]!r}\n{hidden}\n{_PROBE}"
    handler = handler_path(folder)
    done = subprocess.run(
        [sys.executable, *(["-I", "-S"] if bare else []), "-c", script, str(handler)],
        env={"PATH": os.defpath, **CREDENTIALS, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{folder} does not start: {done.stderr[-2000:]}")
    return Start(**json.loads(done.stdout.splitlines()[-1]))


def variables_of(stage: Synthesis, folder: str) -> dict[str, str]:
    """Return a function's environment; values that a deployment makes are written as text."""
    variables = stage.function(folder)["Environment"]["Variables"]
    return {name: text(value) for name, value in variables.items()}


@cache
def layer_mb(name: str) -> float:
    """Return the unzipped megabytes of a layer of a lasting stage."""
    stage = stage_named(_STAGE)
    build = LayerBuild(name, stage.python_version, _PLATFORMS[stage.architecture])
    with zipfile.ZipFile(build.build()) as archive:
        return sum(entry.file_size for entry in archive.infolist()) / 1e6


def bench_cold_start(result: Result) -> None:
    """Measure what importing each handler loads, and how large its layers are."""
    with tempfile.TemporaryDirectory() as folder:
        stage = synthesise(stage_named(_STAGE), Path(folder))
    sys.stdout.write(f"{'function':20} {'modules':>8} {'import ms':>10} {'layers MB':>10}\n")
    for name in sorted(folder for folder, _ in stage.functions()):
        begun = start(name, variables_of(stage, name))
        size = sum(map(layer_mb, layers_of(name)))
        sys.stdout.write(f"{name:20} {len(begun.modules):8} {begun.seconds * 1000:10.0f} {size:10.1f}\n")
        sys.stdout.flush()
        result.keep(f"cold_start/{name}/modules", len(begun.modules))
        result.keep(f"cold_start/{name}/layers_mb", size)


if __name__ == "__main__":
    bench_cold_start(Result())
