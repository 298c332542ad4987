"""A function carries the layers whose packages it imports, directly or through our modules, and no others."""

import re
import sys
from functools import cache
from importlib.metadata import packages_distributions, requires

import pytest

from infra.layers.layer_builder import LAYERS, SLUICE
from sluice.pipelines import PIPELINES
from tests.platform.infra.test_functions import ALL_FOLDERS, FOLDERS
from tests.support.source_files import OWN, all_imports, handler_path, normal, pins
from tests.support.synthesis import Synthesis, text

EVERY_FUNCTION = {SLUICE, "runtime"}
SERVICES = {"serve_recommendations"}  # for whose routes powertools loads pydantic by itself
OPTIONAL = sorted(path.parent.name for path in LAYERS.glob("*/requirements.txt") if path.parent.name != "runtime")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_carries_the_layers_whose_packages_it_imports(prd: Synthesis, folder: str) -> None:
    layers = [text(layer) for layer in prd.function(folder)["Layers"]]
    names = [found[1].lower() for layer in layers if (found := re.fullmatch(r"<Layer(\w+)\w{8}>", layer))]
    assert len(names) == len(layers)
    assert sorted(names) == sorted(layers_of(folder))


@pytest.mark.parametrize("folder", ALL_FOLDERS)
def test_a_function_imports_what_its_layers_and_lambda_bring(folder: str) -> None:
    brought = _brought_by_lambda().union(*map(pins, layers_of(folder) - {SLUICE}))
    assert _packages(folder) - brought == set()


def layers_of(folder: str) -> set[str]:
    """Return the layers that hold, and no other does, a package that a function imports."""
    packages = _packages(folder)
    service = {"service"} if folder in SERVICES else set()
    return EVERY_FUNCTION | service | {layer for layer in OPTIONAL if packages & _packages_of_one(layer)}


def _packages_of_one(layer: str) -> set[str]:
    return pins(layer).keys() - set().union(*(pins(other) for other in OPTIONAL if other != layer))


@cache
def _packages(folder: str) -> set[str]:
    """Return the distributions, by normalised name, that a function imports; of digests, those of sections too."""
    modules = all_imports(handler_path(folder).read_text())
    if folder == "send_digest":
        sections = [each.digest_section.partition(":")[0] for each in PIPELINES if each.digest_section]
        modules = modules.union(*(all_imports(f"import {section}") for section in sections))
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
    """Return the SDK and all it needs: part of Lambda's Python runtimes."""
    brought: set[str] = set()
    ahead = ["boto3"]
    while ahead:
        name = ahead.pop()
        brought.add(name)
        needed = [re.split(r"[^\w.-]", line)[0] for line in requires(name) or [] if "extra ==" not in line]
        ahead += [normal(each) for each in needed if normal(each) not in brought]
    return brought
