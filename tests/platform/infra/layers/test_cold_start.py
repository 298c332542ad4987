"""Limits of a cold start in modules and megabytes: seconds would be the machine's."""

import pytest

from infra.layers.layer_builder import BUDGET_MB
from tests.bench.cloud.cold_start import start, variables_of
from tests.platform.infra.layers.test_imports import layers_of
from tests.platform.infra.test_functions import FOLDERS
from tests.support.synthesis import Synthesis

MODULES = 140  # beyond the SDK's own
MORE_MODULES = {"copy_files": 220, "update_history": 250, "send_digest": 260}  # downloads; plots
MEGABYTES = {"validate_files": 25, "convert_batch": 100}
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


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_starts_with_few_modules(prd: Synthesis, folder: str) -> None:
    modules = start(folder, variables_of(prd, folder)).modules
    assert "sluice" in modules
    assert len(modules) <= MORE_MODULES.get(folder, MODULES), "a new import is heavy: see what it brings along"


def test_validate_starts_with_nothing_heavy(prd: Synthesis) -> None:
    modules = start("validate_files", variables_of(prd, "validate_files")).modules
    assert {module.split(".")[0] for module in modules} & HEAVY == set()


@pytest.mark.parametrize("folder", MEGABYTES)
def test_the_layers_of_what_starts_often_are_small(folder: str) -> None:
    assert sum(BUDGET_MB[layer] for layer in layers_of(folder)) <= MEGABYTES[folder], "the builder keeps to budgets"
