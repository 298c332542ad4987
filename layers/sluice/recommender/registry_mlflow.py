"""The registry of models in MLflow: every version with its figures, and the aliases `champion` and `challenger`.

It follows what the lake says of versions (`model.json`) and of the one in production (`champion.json`), so that all of
it may be done again, and is made anew where it is lost. Without an MLflow App its store is a SQLite file of the lake:
fetched, changed, and written back only if it still is the one that was fetched.
"""

import logging
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

# Read while MLflow is imported: it would call its makers; and connections of its pool would outlive the file.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from sluice.lake.object_store import ObjectStore
from sluice.recommender.candidate import Candidate
from sluice.recommender.champion import MODELS_PREFIX, REGISTRY_KEY, Champion

NAME = "recommender"
"""Of the experiment and of the registered model."""

CHAMPION, CHALLENGER = "champion", "challenger"
_VERSION = "sluice.version"
_FINISHED = "FINISHED"

for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class MlflowRegistry:
    """Versions and aliases, in an MLflow App by its ARN, or in a file of the lake."""

    def __init__(self, lake: ObjectStore, bucket: str, app_arn: str = "") -> None:
        self._lake = lake
        self._models = f"s3://{bucket}/{MODELS_PREFIX}"
        self._app_arn = app_arn

    def follow(self) -> Mapping[str, str]:
        """Register the versions that are not registered yet, move the aliases; return versions by alias."""
        if self._app_arn:
            return self._follow(MlflowClient(self._app_arn, self._app_arn))
        while True:
            stored = self._lake.find(REGISTRY_KEY)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "mlflow.db"
                path.write_bytes(stored.body if stored else b"")
                aliases = self._follow(opened(path))
                body = path.read_bytes()
            if (stored and stored.body == body) or self._lake.replace(
                REGISTRY_KEY, body, stored.etag if stored else None
            ):
                return aliases

    def _follow(self, client: MlflowClient) -> Mapping[str, str]:
        """Read the lake after the registry was read: who changes both in between finds the other's change."""
        candidates = Candidate.all(self._lake)
        champion = Champion.read(self._lake).version
        numbers = {each.tags.get(_VERSION): each.version for each in client.search_model_versions(f"name='{NAME}'")}
        for candidate in reversed(candidates):
            if candidate.version not in numbers:
                numbers[candidate.version] = self._register(client, candidate)
        challenger = next((each.version for each in candidates if each.version != champion), "")
        aliases = {CHAMPION: champion, CHALLENGER: challenger}
        wanted = {alias: version for alias, version in aliases.items() if version in numbers}
        if numbers:
            _move(client, {alias: str(numbers[version]) for alias, version in wanted.items()})
        return wanted

    def _register(self, client: MlflowClient, candidate: Candidate) -> str:
        """Register a version with the run that made it; what an earlier attempt left is taken up again."""
        experiment = client.get_experiment_by_name(NAME)
        experiment_id = experiment.experiment_id if experiment else self._new_experiment(client)
        trained_at = int(datetime.fromisoformat(candidate.trained_at).timestamp() * 1000)
        found = client.search_runs([experiment_id], f"tags.`{_VERSION}` = '{candidate.version}'", max_results=1)
        tags = {_VERSION: candidate.version, **_tags(candidate)}
        run = found[0] if found else client.create_run(experiment_id, trained_at, tags, candidate.version)
        run_id = run.info.run_id
        client.log_batch(
            run_id,
            [Metric(name, value, trained_at, 0) for name, value in _figures(candidate).items()],
            [Param(name, str(value)) for name, value in {**candidate.settings, "seed": candidate.seed}.items()],
            [RunTag(name, value) for name, value in tags.items()],
        )
        client.set_terminated(run_id, _FINISHED)
        _ensure_model(client)
        source = f"{self._models}{candidate.version}"
        made = client.create_model_version(NAME, source, run_id, tags, description=candidate.reason)
        return str(made.version)

    def _new_experiment(self, client: MlflowClient) -> str:
        """Make the experiment; an MLflow App has a place of its own for what runs leave."""
        return str(client.create_experiment(NAME, None if self._app_arn else self._models.rstrip("/")))


def opened(path: Path) -> MlflowClient:
    """Return a client of a store's file; one that is broken, or of another MLflow, is begun anew."""
    uri = f"sqlite:///{path}"
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA quick_check").fetchall()
        client = MlflowClient(uri, uri)
        client.search_experiments(max_results=1)
    except (sqlite3.DatabaseError, MlflowException):
        path.unlink()
        client = MlflowClient(uri, uri)
    return client


def _move(client: MlflowClient, wanted: Mapping[str, str]) -> None:
    """Let each alias be at the wanted number, or nowhere."""
    current = client.get_registered_model(NAME).aliases
    for alias in (CHAMPION, CHALLENGER):
        if alias not in wanted and alias in current:
            client.delete_registered_model_alias(NAME, alias)
        elif alias in wanted and current.get(alias) != wanted[alias]:
            client.set_registered_model_alias(NAME, alias, wanted[alias])


def _ensure_model(client: MlflowClient) -> None:
    try:
        client.create_registered_model(NAME)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _tags(candidate: Candidate) -> dict[str, str]:
    return {
        "snapshot": candidate.snapshot,
        "code_version": candidate.code_version,
        "sha256": candidate.sha256,
        "compared_with": candidate.champion or "popularity",
        "better": str(candidate.promote).lower(),
        "reason_to_train": candidate.reason_to_train,
    }


def _figures(candidate: Candidate) -> dict[str, float]:
    champion = {f"champion_{name}": value for name, value in candidate.champion_metrics.items()}
    return {**candidate.metrics, **champion, **candidate.comparison}
