"""Inferences from a mart on a real PostgreSQL into mart and lake: whatever fails, the same rows, once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.aws import runtime
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.partitions_iceberg import IcebergPartitions
from sluice.lake.tables_iceberg import IcebergTables
from sluice.mart.connection_postgres import Mart
from sluice.recommender.beginning import begin
from sluice.recommender.champion import MODELS_PREFIX, Version, promote, roll_back
from sluice.recommender.inference import DONE, EMPTY, INFER, POPULARITY, Inference, Snapshot
from sluice.recommender.lake_tables import EVALUATIONS, RECOMMENDATIONS, TABLES, read_part, write_rows
from sluice.recommender.mart.extracting_postgres import extract, snapshot_of
from sluice.recommender.mart.loading_postgres import load
from sluice.recommender.mart.recommendations_postgres import migrations
from sluice.recommender.model.decision import Thresholds
from sluice.recommender.model.interactions import Interactions
from sluice.recommender.model.model import sha256_of
from sluice.recommender.model.settings import Settings
from sluice.recommender.model.training import train
from sluice.recommender.results import EVALUATION, figures_of, recommended_key
from sluice.recommender.steps import Counts, assess, infer, prepare, process
from tests.api_pull.integration.mart.loading import load_day
from tests.api_pull.integration.mart.loading import prepare as prepare_mart
from tests.support.lake_tables import DATABASE, prepare_tables
from tests.support.mart_server import MartServer
from tests.support.moto.aws_calls import AwsUnavailableError, KilledError, call_failures
from tests.support.moto.stage import LAKE, MotoStage

USERS, TRACKS = range(1, 25), range(1, 41)
NEW_USER = 24  # who has not heard anything
LISTENS = [
    (user, position, 1 + (user % 4) * 10 + (user * 7 + position * 3) % 10)
    for user in USERS[:-1]
    for position in range(6)
]


class LostMartError(Exception):
    """The mart's answer is lost."""


@dataclass
class Inferring:
    """A stage whose mart is a real one; every step is done again until it comes through, as the machine does it."""

    stage: MotoStage
    mart: Mart

    def infer(self, attempts: int = 1) -> Inference | None:
        """Run an inference from begin to end; None: there is nothing to do."""
        begun: tuple[str, Inference | None] = self._try(
            lambda: begin(self.stage.lake, snapshot_of(self.mart)), attempts
        )
        decision, inference = begun
        if decision != INFER:
            return None
        assert inference is not None
        self._try(lambda: self._extract(inference), attempts)
        self._try(lambda: prepare(self.stage.lake, inference), attempts)
        self._try(lambda: process(self.stage.lake, inference), attempts)
        counts = self._try(lambda: infer(self.stage.lake, inference), attempts)
        self._try(lambda: assess(self.stage.lake, inference, Thresholds(), None, None), attempts)
        self._try(lambda: self._keep(inference, counts), attempts)
        self._try(lambda: self._load(inference, counts), attempts)
        self._try(lambda: self.stage.lake.write(inference.result_key, b"{}"), attempts)
        return inference

    def shown(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that readers see in the mart, and how many inferences it knows."""
        views = ("recommendations", "similar_tracks", "models", "evaluations")
        found = {view: self.mart.query(f"SELECT * FROM {view}") for view in views}
        times = {"models", "evaluations"}
        return {
            view: sorted(tuple(map(str, row[:2] if view in times else row)) for row in rows)
            for view, rows in found.items()
        }

    def _extract(self, inference: Inference) -> None:
        found = extract(self.mart, Snapshot(inference.snapshot, inference.published_at))
        assert found is not None
        for name, values in found.items():
            self.stage.lake.write(inference.key(f"{name}.i64"), values.tobytes())

    def _keep(self, inference: Inference, counts: Counts) -> None:
        lake = self.stage.lake
        columns = GlueColumns(runtime.glue(), DATABASE, lake)
        tables = IcebergPartitions(runtime.glue(), DATABASE, LAKE)
        day = {"snapshot_date": date.fromisoformat(inference.snapshot)}
        files = [
            write_rows(
                lake,
                RECOMMENDATIONS,
                columns.schema("RECOMMENDATIONS"),
                inference,
                part,
                read_part(lake, recommended_key(inference, part)),
            )
            for part in range(counts.recommended_parts)
        ]
        figures = self._figures(inference)
        row = {name: [value] for name, value in figures.items()}
        evaluated = write_rows(lake, EVALUATIONS, columns.schema("EVALUATIONS"), inference, 0, row)
        tables.replace_partition("RECOMMENDATIONS", inference.inference_id, day, files)
        tables.replace_partition("EVALUATIONS", inference.inference_id, day, [evaluated])

    def _load(self, inference: Inference, counts: Counts) -> None:
        parts, turn = (counts.recommended_parts, counts.similar_parts), 0
        loaded: dict[str, Any] = {"is_over": False}
        while not loaded["is_over"]:
            loaded = load(self.stage.lake, self.mart, inference, self._figures(inference), parts, turn, lambda: True)
            turn = loaded["turn"]

    def _figures(self, inference: Inference) -> dict[str, float]:
        return figures_of(orjson.loads(self.stage.lake.read(inference.key(EVALUATION))))

    @staticmethod
    def _try(step: Callable[[], Any], attempts: int) -> Any:
        for _ in range(attempts - 1):
            with suppress(AwsUnavailableError, KilledError, LostMartError):
                return step()
        return step()


@pytest.fixture
def inferring(moto_stage: MotoStage, dsql: MartServer) -> Inferring:
    mart = prepare_mart(dsql)
    dsql.migrate(migrations())
    prepare_tables(LAKE)
    for table in TABLES:
        IcebergTables(runtime.glue(), DATABASE, LAKE).prepare(table)
    return Inferring(moto_stage, mart)


def put_into_production(inferring: Inferring, version: str, instead_of: str = "") -> Version:
    """Train a model of the test's listens, and promote it."""
    pairs = Interactions.of(np.array([user for user, _, _ in LISTENS]), np.array([track for _, _, track in LISTENS]))
    body = train(pairs.split().train, Settings(8, 1.0, 2.0, 5), 1).to_bytes()
    key = f"{MODELS_PREFIX}{version}/model.npz"
    inferring.stage.lake.write(key, body)
    at = "2026-11-30T00:00:00+00:00"
    found = Version(version, key, sha256_of(body), at, at, 0.5)
    assert promote(inferring.stage.lake, found, instead_of)
    return found


def test_every_user_gets_tracks_that_are_there_and_unheard(inferring: Inferring) -> None:
    assert inferring.infer() is None, "the mart shows nothing"
    load_day(inferring.mart, "one", TRACKS, USERS, LISTENS)
    by_popularity = inferring.infer()
    assert by_popularity is not None
    assert by_popularity.model_version == POPULARITY
    assert inferring.infer() is None, "the same snapshot and model are done"

    put_into_production(inferring, "v1")
    inference = inferring.infer()
    assert inference is not None
    recommended = inferring.mart.query("SELECT user_id, rank, track_id, popular, model_version FROM recommendations")
    heard = {(user, track) for user, _, track in LISTENS}
    assert {row[0] for row in recommended} == {*USERS}
    assert not {(user, track) for user, _, track, _, _ in recommended} & heard
    assert {user for user, _, _, popular, _ in recommended if popular} == {NEW_USER}
    assert {version for *_, version in recommended} == {"v1"}
    kept = rows("RECOMMENDATIONS")
    assert {(row["user_id"], row["rank"], row["track_id"]) for row in kept} == {row[:3] for row in recommended}
    assert [row["model_version"] for row in rows("EVALUATIONS")] == ["v1"]
    assert inferring.mart.query("SELECT count(*) FROM evaluations") == [(2,)]

    load_day(inferring.mart, "two", TRACKS[1:], USERS, [*LISTENS, (NEW_USER, 0, 40)])
    shown = {*inferring.mart.query("SELECT user_id, track_id FROM recommendations")}
    assert shown
    assert 1 not in {track for _, track in shown}
    assert (NEW_USER, 40) not in shown, "what went, or was heard, since the inference is not shown"


def test_a_model_that_is_gone_or_corrupt_gives_way_to_the_one_before(inferring: Inferring) -> None:
    load_day(inferring.mart, "one", TRACKS, USERS, LISTENS)
    put_into_production(inferring, "v1")
    broken = put_into_production(inferring, "v2", "v1")
    inferring.stage.lake.write(broken.key, b"not what was written")
    inference = inferring.infer()
    assert inference is not None
    assert (inference.model_version, inference.faults) == ("v1", 1)
    inferring.stage.lake.delete([broken.key, f"{MODELS_PREFIX}v1/model.npz"])
    assert begin(inferring.stage.lake, snapshot_of(inferring.mart))[1].model_version == POPULARITY  # type: ignore[union-attr]


def test_a_model_that_is_rolled_back_to_recommends_again(inferring: Inferring) -> None:
    load_day(inferring.mart, "one", TRACKS, USERS, LISTENS)
    put_into_production(inferring, "v1")
    assert inferring.infer()
    put_into_production(inferring, "v2", "v1")
    assert inferring.infer()
    assert inferring.mart.query("SELECT model_version FROM models") == [("v2",)]
    roll_back(inferring.stage.lake, "2026-12-01T00:00:00+00:00")
    assert inferring.infer()
    assert inferring.mart.query("SELECT model_version FROM models") == [("v1",)]
    assert {*inferring.mart.query("SELECT model_version FROM recommendations")} == {("v1",)}
    assert {row["model_version"] for row in rows("RECOMMENDATIONS")} == {"v1"}
    assert inferring.infer() is None


def test_day_over_day_is_against_an_earlier_day_whichever_model_comes(inferring: Inferring) -> None:
    load_day(inferring.mart, "one", TRACKS, USERS, LISTENS)
    put_into_production(inferring, "v1")
    assert inferring.infer()
    load_day(inferring.mart, "two", TRACKS, USERS, [*LISTENS, (NEW_USER, 0, 40)])
    assert inferring.infer()
    put_into_production(inferring, "v2", "v1")
    assert inferring.infer()
    assert [(row["model_version"], row["day_users"]) for row in rows("EVALUATIONS")] == [("v2", 1)]


def test_whatever_fails_the_rows_are_the_same(inferring: Inferring) -> None:
    load_day(inferring.mart, "one", TRACKS, USERS, LISTENS)
    put_into_production(inferring, "v1")
    with inferring.stage.calls.record() as operations:
        assert inferring.infer()
    wanted, kept = inferring.shown(), sorted(map(str, rows("RECOMMENDATIONS")))
    for failure in call_failures(operations):
        _forget(inferring)
        with inferring.stage.calls.intercept(failure), suppress(AwsUnavailableError, KilledError):
            inferring.infer(attempts=2)
        inferring.infer()
        assert inferring.shown() == wanted, failure
        assert sorted(map(str, rows("RECOMMENDATIONS"))) == kept, failure


def test_a_mart_that_is_lost_at_any_transaction_has_the_same_rows_in_the_end(
    inferring: Inferring, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_day(inferring.mart, "one", TRACKS, USERS, LISTENS)
    put_into_production(inferring, "v1")
    count = 0
    transact = Mart.transact

    def counted(mart: Mart, work: Any, *, read_only: bool = False) -> Any:
        nonlocal count
        count += 1
        if (count, "before") == lost:
            raise LostMartError
        result = transact(mart, work, read_only=read_only)
        if (count, "after") == lost:
            raise LostMartError
        return result

    lost: tuple[int, str] = (0, "")
    monkeypatch.setattr(Mart, "transact", counted)
    assert inferring.infer()
    monkeypatch.undo()
    transactions, wanted = count, inferring.shown()
    for at in range(1, transactions + 1):
        for when in ("before", "after"):
            _forget(inferring)
            count, lost = 0, (at, when)
            monkeypatch.setattr(Mart, "transact", counted)
            inferring.infer(attempts=2)
            monkeypatch.undo()
            assert inferring.shown() == wanted, lost


def test_a_later_inference_is_not_replaced_by_an_earlier_one(inferring: Inferring) -> None:
    load_day(inferring.mart, "one", TRACKS, USERS, LISTENS)
    early = begin(inferring.stage.lake, snapshot_of(inferring.mart))
    assert early[0] == INFER
    load_day(inferring.mart, "two", TRACKS, USERS, LISTENS[1:])
    late = inferring.infer()
    assert late is not None
    assert early[1] is not None
    found = extract(inferring.mart, Snapshot(early[1].snapshot, early[1].published_at))
    assert found is None, "the mart shows another moment by now"
    assert begin(inferring.stage.lake, snapshot_of(inferring.mart))[0] == DONE
    assert begin(inferring.stage.lake, None) == (EMPTY, None)
    inferring.stage.lake.delete([late.result_key])
    assert begin(inferring.stage.lake, snapshot_of(inferring.mart))[0] == INFER, "it broke off before it was recorded"


def rows(table: str) -> list[dict[str, Any]]:
    """Return the rows of a table of the lake."""
    lake = S3ObjectStore(runtime.s3(), LAKE)
    files = IcebergTables(runtime.glue(), DATABASE, LAKE)._load(table).scan().plan_files()
    bodies = [lake.read(each.file.file_path.removeprefix(f"s3://{LAKE}/")) for each in files]
    return [row for body in bodies for row in pq.read_table(pa.BufferReader(body)).to_pylist()]


def _forget(inferring: Inferring) -> None:
    """Let it be as before the first inference."""
    inferring.stage.lake.delete(["recommender/latest.json"])
    for table in ("recommendations_by_inference", "similar_tracks_by_inference", "current_inference", "inferences"):
        inferring.mart.execute(f"DELETE FROM {table}")
