"""The notebooks run on a deployed stage as they stand, from the first cell to the last."""

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from cli.demo.producers import put_past_hours
from cli.platform import local_cloud
from tests.api_pull import independent_server as server
from tests.support.local.deployed_cloud import Cloud
from tests.support.sample_events import dump, illustration

DAY = "2026-11-29"
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"


@pytest.fixture
def run(cloud: Cloud, tmp_path: Path) -> Callable[[str], list[str]]:
    """Run a notebook in a kernel of its own, in the shell of somebody who works on the local stage."""
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")
    shell = {name: value for name, value in os.environ.items() if name not in keys}
    shell |= {**local_cloud.require().profile, "SLUICE_STAGE": cloud.deployment.stage}
    shell |= {"PYTHONPATH": str(NOTEBOOKS.parent / "layers"), "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}

    def executed(name: str) -> list[str]:
        """Run it, and return what its cells show, as texts."""
        notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        place = {"metadata": {"path": str(NOTEBOOKS)}}
        NotebookClient(notebook, timeout=300, resources=place).execute(env=shell)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
        return [output["data"].get("text/plain", "") for output in outputs if "data" in output]

    return executed


def test_tables(cloud: Cloud, run: Callable[[str], list[str]], tmp_path: Path) -> None:
    (tmp_path / "events").write_bytes(dump(illustration(1)) + b'{"source": "other"} not an event')
    cloud.run("ingest", tmp_path / "events")
    cloud.run("convert")
    sizes, quality, *_, profile = run("tables")
    assert "profiling_log" in sizes
    assert "microthree" in quality.lower()
    assert "nulls" in profile


def test_training(cloud: Cloud, run: Callable[[str], list[str]]) -> None:
    with server.independent_server() as url:
        assert cloud.run("pull", "--source-url", url, "--date", DAY)["status"] == "complete"
    *_, verdict, of_one, runs = run("training")
    assert "NDCG@10" in verdict
    assert "score" in of_one
    assert "popularity_ndcg_at_10" in runs


def test_exports(cloud: Cloud, run: Callable[[str], list[str]]) -> None:
    first = put_past_hours(cloud.deployment)
    cloud.run("history", "init", "--from", str(first))
    hours, days, *_ = run("exports")
    assert "delivered_percent" in days
    assert "complete" in hours
