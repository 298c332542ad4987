"""Limits of a cold start in modules and megabytes: seconds would be the machine's."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from infra.layers.layer_builder import BUDGET_MB, LAYERS
from tests.bench.cloud.cold_start import CREDENTIALS, variables_of
from tests.platform.infra.layers.test_imports import layers_of
from tests.platform.infra.test_functions import FOLDERS
from tests.support.source_files import handler_path
from tests.support.synthesis import Synthesis

MODULES = 140  # beyond the SDK's own
MORE_MODULES = {
    **dict.fromkeys(("check_job", "claim_slot", "list_files", "trigger_job"), 180),  # the vendor's API
    **dict.fromkeys(("check_source", "extract_pages"), 180),  # the application's API
    **dict.fromkeys(("begin_load", "prepare_mart", "publish_loads", "sweep_loads"), 200),  # psycopg, with asyncio
    **dict.fromkeys(("begin_inference", "begin_training", "extract_mart", "load_recommendations"), 200),
    **dict.fromkeys(
        ("prepare_listens", "process_listens", "infer_recommendations", "evaluate_model", "train_model"), 480
    ),  # SciPy
    **dict.fromkeys(("register_model", "promote_model"), 1150),
    "load_part": 220,  # and Arrow
    "serve_recommendations": 340,  # and routes of powertools, with Pydantic
    "copy_files": 220,
    "update_history": 410,  # plots and PyIceberg
    "send_digest": 260,  # downloads; plots
    **dict.fromkeys(
        ("commit_conversion", "prepare_tables", "profile_run", "keep_snapshot", "keep_recommendations"), 300
    ),  # PyIceberg
    **dict.fromkeys(("plan_compaction", "compact_partitions", "tidy_tables"), 300),
    "record_run": 320,  # PyIceberg, and every pipeline
}
MEGABYTES = {"validate_files": 25, "convert_batch": 102}
HEAVY = {
    "pyarrow",
    "numpy",
    "pandas",
    "jsonschema",
    "httpx",
    "plotly",
    "asyncio",
    "unittest",
    "aws_xray_sdk",
    "pydantic",
}


# The SDK with one client comes first, once for all: Lambda brings it, and every function needs it. Modules that every
# function loads are loaded once, too, and count for each.
PROBE = """
import json, os, runpy, sys
from collections import Counter
import boto3
boto3.client("s3")
# Packages that no layer has, or only some; where they are there, httpx, httpcore and tenacity import them.
sys.modules |= dict.fromkeys(("click", "h2", "numpy", "pandas", "tornado"))
known = set(sys.modules)
import sluice.aws.runtime, sluice.observability.metrics_cloudwatch
boto3.client("dynamodb")  # its description is read once
from aws_lambda_powertools import Logger
for line in sys.stdin:
    folder, handler, variables, needed = json.loads(line)
    if not os.fork():
        for package in needed:
            del sys.modules[package]
        os.environ.update(variables)
        runpy.run_path(handler)
        found = Counter(name.partition(".")[0] for name in sys.modules.keys() - known)
        print(json.dumps([folder, found]), flush=True)  # short enough to be written at once
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


@pytest.fixture(scope="session")
def modules(synthesis_of: Callable[[str], Synthesis]) -> dict[str, dict[str, int]]:
    """How many modules of each package every function loads, in a process of its own."""
    prd = synthesis_of("prd")
    lines = [
        json.dumps([folder, str(handler_path(folder)), variables_of(prd, folder), _needed(folder)])
        for folder in FOLDERS
    ]
    path = {"PYTHONPATH": str(LAYERS), "PATH": os.defpath, **CREDENTIALS}
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, input="\n".join(lines), env=path, capture_output=True, text=True, check=True)
    return dict(json.loads(line) for line in done.stdout.splitlines())


def _needed(folder: str) -> list[str]:
    return [package for layer, package in (("science", "numpy"), ("mlflow", "click")) if layer in layers_of(folder)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_starts_with_few_modules(modules: dict[str, dict[str, int]], folder: str) -> None:
    assert "sluice" in modules[folder]
    allowed = MORE_MODULES.get(folder, MODULES)
    assert sum(modules[folder].values()) <= allowed, "a new import is heavy: see what it brings along"


def test_validate_starts_with_nothing_heavy(modules: dict[str, dict[str, int]]) -> None:
    assert modules["validate_files"].keys() & HEAVY == set()


@pytest.mark.parametrize("folder", MEGABYTES)
def test_the_layers_of_what_starts_often_are_small(folder: str) -> None:
    assert sum(BUDGET_MB[layer] for layer in layers_of(folder)) <= MEGABYTES[folder], "the builder keeps to budgets"
