import shutil
from collections.abc import Container
from pathlib import Path

import pytest

from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.load import TABLES, load_registry
from sluice.contracts.model import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(scope="session")
def validators(registry: Registry) -> dict[str, DualValidator]:
    return {contract.table: DualValidator(contract.schema) for contract in registry.contracts}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the contracts to break."""
    return shutil.copytree(TABLES, tmp_path / "tables")


@pytest.fixture
def twins(tree: Path) -> Path:
    """A copy of two contracts that share their rules, and of their families."""
    return _keep(tree, {"MICROONE_EVENT", "SUMMARIZER_EVENT"})


@pytest.fixture
def bare(tree: Path) -> Path:
    """A copy of the families and the shared parts, without a contract."""
    return _keep(tree, ())


def _keep(tree: Path, tables: Container[str]) -> Path:
    for folder in [path.parent for path in tree.glob("*/*/table.json") if path.parent.name not in tables]:
        shutil.rmtree(folder)
    return tree
