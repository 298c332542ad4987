"""The registry of models with MLflow itself, its store in a bucket of moto."""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient

from sluice.lake.object_store import ObjectStore
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.recommender.candidate import Candidate, file_key
from sluice.recommender.champion import REGISTRY_KEY, promote, roll_back
from sluice.recommender.registry_mlflow import NAME, MlflowRegistry, opened
from tests.support.memory_object_store import MemoryObjectStore
from tests.support.moto.aws_calls import AwsUnavailableError, Interruption, KilledError, call_failures
from tests.support.moto.stage import LAKE, MotoStage

NOW = "2026-12-01T03:00:00.000Z"


@pytest.fixture(scope="module")
def empty_store() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        opened(Path(folder) / "mlflow.db")
        return (Path(folder) / "mlflow.db").read_bytes()


@pytest.fixture
def lake(moto_stage: MotoStage, empty_store: bytes) -> ObjectStore:
    lake = S3ObjectStore(moto_stage.s3, LAKE)
    lake.write(REGISTRY_KEY, empty_store)
    return lake


def trained(lake: ObjectStore, day: int, champion: str = "") -> Candidate:
    version = f"2026120{day}T030000Z-0123abcd"
    body = version.encode()
    lake.write(file_key(version), body)
    comparison = dict.fromkeys(("difference", "low", "high", "over_popularity", "over_popularity_low"), 0.1)
    candidate = Candidate(
        version=version,
        snapshot=f"2026-12-0{day}",
        trained_at=NOW,
        reason_to_train="hand",
        key=file_key(version),
        sha256=hashlib.sha256(body).hexdigest(),
        code_version="0123",
        seed=20,
        settings={"factors": 64, "alpha": 10.0},
        metrics={"ndcg_at_10": 0.3, "popularity_ndcg_at_10": 0.1},
        champion=champion,
        champion_metrics={"ndcg_at_10": 0.2} if champion else {},
        comparison=comparison,
        promote=True,
        reason="better",
    )
    candidate.write(lake)
    return candidate


@contextmanager
def looking(lake: ObjectStore) -> Iterator[MlflowClient]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        path.write_bytes(lake.read(REGISTRY_KEY))
        yield opened(path)


def registered(lake: ObjectStore) -> tuple[list[str], dict[str, str]]:
    """Return all versions of MLflow, and which its aliases are at."""
    with looking(lake) as client:
        names = {
            str(each.version): each.tags["sluice.version"] for each in client.search_model_versions(f"name='{NAME}'")
        }
        aliases = client.get_registered_model(NAME).aliases
    return sorted(names.values()), {alias: names[str(number)] for alias, number in aliases.items()}


def test_a_version_is_registered_with_all_that_is_known_of_it_and_aliases_follow(lake: ObjectStore) -> None:
    registry = MlflowRegistry(lake, LAKE)
    first = trained(lake, 1)
    assert registry.follow() == {"challenger": first.version}
    assert promote(lake, first.promoted(NOW), "")
    assert registry.follow() == {"champion": first.version}
    second = trained(lake, 2, first.version)
    promote(lake, second.promoted(NOW), first.version)
    assert registry.follow() == {"champion": second.version, "challenger": first.version}
    roll_back(lake, NOW)
    registry.follow()
    assert registered(lake) == (
        [first.version, second.version],
        {"champion": first.version, "challenger": second.version},
    )
    with looking(lake) as client:
        version = client.get_model_version_by_alias(NAME, "challenger")
        run = client.get_run(version.run_id or "")
    assert version.source == f"s3://{LAKE}/recommender/models/{second.version}"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"factors": "64", "alpha": "10.0", "seed": "20"}
    assert run.data.metrics == {
        **second.metrics,
        "champion_ndcg_at_10": 0.2,
        **second.comparison,
    }
    assert {name: run.data.tags[name] for name in ("snapshot", "code_version", "sha256", "compared_with")} == {
        "snapshot": second.snapshot,
        "code_version": "0123",
        "sha256": second.sha256,
        "compared_with": first.version,
    }


def test_a_crash_at_every_call_and_a_retry_give_one_version_and_one_champion(
    lake: ObjectStore, moto_stage: MotoStage, empty_store: bytes
) -> None:
    def promoting(candidate: Candidate) -> None:
        registry = MlflowRegistry(lake, LAKE)
        registry.follow()
        assert promote(lake, candidate.promoted(NOW), "")
        registry.follow()

    candidate = trained(lake, 1)
    with moto_stage.calls.record() as operations:
        promoting(candidate)
    failures = [failure for failure in call_failures(operations) if failure.killed or failure.after]
    assert len(failures) == 2 * operations.count("PutObject") + 1
    for failure in failures:
        lake.delete(["recommender/champion.json"])
        lake.write(REGISTRY_KEY, empty_store)
        with moto_stage.calls.intercept(failure), pytest.raises((AwsUnavailableError, KilledError)):
            promoting(candidate)
        promoting(candidate)
        assert registered(lake) == ([candidate.version], {"champion": candidate.version}), failure


def test_of_registries_that_change_at_once_none_loses_a_version(lake: ObjectStore, moto_stage: MotoStage) -> None:
    first = trained(lake, 1)
    later: list[Candidate] = []

    def meanwhile() -> None:
        later.append(trained(lake, 2))
        promote(lake, first.promoted(NOW), "")
        MlflowRegistry(lake, LAKE).follow()

    with moto_stage.calls.intercept(Interruption(4, meanwhile)):
        MlflowRegistry(lake, LAKE).follow()
    assert registered(lake) == (
        [first.version, later[0].version],
        {"champion": first.version, "challenger": later[0].version},
    )


@pytest.mark.parametrize("broken", ["missing", "cut short", "no database", "another schema"])
def test_a_store_that_is_lost_is_made_anew_from_the_lake(broken: str, empty_store: bytes) -> None:
    lake = MemoryObjectStore()
    versions = [trained(lake, day).version for day in (1, 2)]
    if broken == "another schema":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mlflow.db"
            path.write_bytes(empty_store)
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
                connection.commit()
            lake.write(REGISTRY_KEY, path.read_bytes())
    elif broken != "missing":
        lake.write(REGISTRY_KEY, empty_store[:5000] if broken == "cut short" else b"no database" * 1000)
    MlflowRegistry(lake, LAKE).follow()
    assert registered(lake) == (versions, {"challenger": versions[1]})
