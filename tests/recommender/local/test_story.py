"""A month of the recommender on the deployed stage: it learns, the listeners change, it notices, and learns anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.api_simulator.application import Application
from cli.api_simulator.population import Population
from cli.http_server.server import Server
from cli.platform.deploy import deploy_stage
from cli.platform.stages import FILE_VARIABLE
from tests.support.local.deployed_cloud import Cloud, wait_until

RETRAINING = """
[local]
kind = "local"

[local.recommender]
retrain = true
"""


@pytest.fixture
def retraining(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The stage with the one setting that turns retraining on."""
    file = tmp_path / "stages.toml"
    file.write_text(RETRAINING)
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    deploy_stage("local", yes=True)
    yield cloud
    file.write_text(RETRAINING.replace("true", "false"))
    deploy_stage("local", yes=True)


def pull(cloud: Cloud, day: int, date: str) -> None:
    with Server(Application(Population(day=day), [], ""), 0) as server:
        assert cloud.run("pull", "--source-url", server.url, "--date", date)["status"] == "complete"


def figures(cloud: Cloud, date: str, version: str) -> dict[str, Any]:
    """Wait until the recommendations of a day are those of a version of the model; return their evaluation."""
    found = wait_until(
        lambda: cloud.run(
            "mart",
            "query",
            f"select * from evaluations where snapshot_date = '{date}' and model_version = '{version}'",
        )
    )
    return dict(found[-1])


def champion(cloud: Cloud, other_than: str = "") -> str:
    """Wait until a version other than one is in production, and return it."""

    def current() -> str:
        versions = cloud.run("models", "list")
        return next((each["version"] for each in versions if each["state"] == "in production"), "")

    return wait_until(lambda: "" if (found := current()) == other_than else found)


def test_it_learns_notices_that_listeners_change_and_learns_anew(retraining: Cloud) -> None:
    pull(retraining, 0, "2026-10-01")
    first = champion(retraining)
    assert retraining.run("recommend", "run")["model_version"] == first
    learnt = figures(retraining, "2026-10-01", first)
    assert learnt["ndcg_at_10"] >= 2 * learnt["popularity_ndcg_at_10"] > 0

    pull(retraining, 15, "2026-10-16")  # a month at once would be held back: more than twice the usual rows
    later = figures(retraining, "2026-10-16", first)
    assert later["ndcg_at_10"] >= later["threshold"], "it is still good enough"

    pull(retraining, 30, "2026-10-31")
    aged = figures(retraining, "2026-10-31", first)
    assert aged["ndcg_at_10"] < aged["threshold"], "the drift makes the figure fall"
    second = champion(retraining, first)
    renewed = retraining.run("recommend", "run")
    assert (renewed["model_version"], renewed["retrain"]) == (second, False)
    assert renewed["metrics"]["ndcg_at_10"] > 1.1 * aged["ndcg_at_10"], "the figure recovers"
    for_one = retraining.run("recommend", "for", "500")
    assert len(for_one["recommendations"]) == 10
    assert retraining.invoke("doctor").exit_code == 0
