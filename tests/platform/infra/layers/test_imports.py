"""A function carries the layers whose packages it imports, directly or through our modules, and no others."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.metadata import packages_distributions, requires

import pytest

from infra.layers.layer_builder import LAYERS, SLUICE
from tests.platform.infra.test_functions import ALL_FOLDERS, FOLDERS
from tests.support.handler_source import handler_path
from tests.support.imports import OWN, all_imports
from tests.support.requirements import normal, pins
from tests.support.synthesis import Synthesis, text

EVERY_FUNCTION = {SLUICE, "runtime"}
CARRIED = {
    "convert_batch": {"arrow"},
    "profile_run": {"arrow"},
    "claim_slot": {"http"},
    "trigger_job": {"http"},
    "check_job": {"http"},
    "list_files": {"http"},
    "copy_files": {"http"},
    "update_history": {"arrow", "plots"},
    "plan_history": {"arrow"},
    "observe_hours": {"arrow"},
    "send_digest": {"arrow", "plots"},
    "load_search": {"arrow", "search"},
    "install_search": {"search"},
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_layers_of_a_function(stage: Synthesis, folder: str) -> None:
    layers = [text(layer) for layer in stage.function(folder)["Layers"]]
    names = [
        found[1].lower() for layer in layers if (found := re.fullmatch(r"<(?:Functions)?Layers(\w+)\w{8}>", layer))
    ]
    assert len(names) == len(layers)
    assert sorted(names) == sorted(layers_of(folder))


@pytest.mark.parametrize("folder", ALL_FOLDERS)
def test_a_function_imports_what_its_layers_and_lambda_bring(folder: str) -> None:
    brought = _brought_by_lambda().union(*map(pins, layers_of(folder) - {SLUICE}))
    assert _packages(folder) - brought == set()


@pytest.mark.parametrize("folder", CARRIED)
def test_a_function_carries_no_layer_in_vain(folder: str) -> None:
    packages = _packages(folder)
    assert [layer for layer in CARRIED[folder] if not packages & pins(layer).keys()] == []


def layers_of(folder: str) -> set[str]:
    """The layers a function carries."""
    return EVERY_FUNCTION | CARRIED.get(folder, set())


def _packages(folder: str) -> set[str]:
    """The distributions, by normalised name, that a function imports."""
    modules = all_imports(handler_path(folder), LAYERS)
    others = {module.split(".")[0] for module in modules} - sys.stdlib_module_names - {OWN}
    return {_distribution(module) for module in others}


def _distribution(module: str) -> str:
    (distribution,) = set(_distributions()[module])
    return normal(distribution)


@cache
def _distributions() -> dict[str, list[str]]:
    return {module: list(found) for module, found in packages_distributions().items()}


@cache
def _brought_by_lambda() -> set[str]:
    """The SDK and all it needs: part of Lambda's Python runtimes."""
    brought: set[str] = set()
    ahead = ["boto3"]
    while ahead:
        name = ahead.pop()
        brought.add(name)
        needed = [re.split(r"[^\w.-]", line)[0] for line in requires(name) or [] if "extra ==" not in line]
        ahead += [normal(each) for each in needed if normal(each) not in brought]
    return brought
