import shutil
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
def twins(tree: Path) -> Path:
    """A copy of two contracts that share their rules, and of their families."""
    for folder in [path for path in tree.glob("*/*") if path.is_dir()]:
        if folder.name not in {"MICROONE_EVENT", "SUMMARIZER_EVENT"}:
            shutil.rmtree(folder)
    return tree


@pytest.fixture
def bare(tree: Path) -> Path:
    """A copy of the families and the shared parts, without a contract."""
    for folder in [path for path in tree.glob("*/*") if path.is_dir()]:
        shutil.rmtree(folder)
    return tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the contracts to break."""
    root = tmp_path / "tables"
    shutil.copytree(TABLES, root)
    return root
