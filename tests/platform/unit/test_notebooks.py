"""Notebooks lie in git as people wrote them: no output, which could hold rows of somebody's, and no count of runs."""

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[3] / "notebooks").glob("**/*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_clean_of_output(path: Path) -> None:
    notebook: dict[str, Any] = json.loads(path.read_text())
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3", "of any Jupyter"
    for cell in notebook["cells"]:
        assert (cell.get("outputs", []), cell.get("execution_count"), cell["metadata"]) == ([], None, {})


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["exports", "tables", "training"]
