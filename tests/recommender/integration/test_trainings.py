"""Trainings from the pairs to the champion, in a bucket of moto, with MLflow itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from sluice.lake.lease_dynamodb import DynamoLease
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.recommender.beginning import inference_of
from sluice.recommender.candidate import Candidate, result_of
from sluice.recommender.champion import CHAMPION_KEY, Champion, promote
from sluice.recommender.inference import Inference, Snapshot
from sluice.recommender.model.interactions import Interactions
from sluice.recommender.registry_mlflow import MlflowRegistry
from sluice.recommender.steps import LISTENS, process
from sluice.recommender.training_steps import make_candidate
from sluice.recommender.trainings import BUSY, TRAIN, Training, begin
from tests.recommender.listens import at_random, structured
from tests.support.moto.aws_calls import AwsUnavailableError, KilledError, call_failures
from tests.support.moto.stage import LAKE, LEDGER, MotoStage

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
SNAPSHOT = Snapshot("2026-12-01", NOW.isoformat())


@dataclass
class Machine:
    """Retrain's steps after those it shares with Infer; `running` are executions that have not ended."""

    stage: MotoStage
    running: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lake = S3ObjectStore(self.stage.s3, LAKE)
        self.registry = MlflowRegistry(self.lake, LAKE)
        self.lease = DynamoLease(self.stage.dynamodb, LEDGER, "training")

    def is_running(self, execution: str) -> bool:
        return execution in self.running

    def prepare(self, pairs: Interactions) -> Inference:
        inference = inference_of(self.lake, SNAPSHOT)
        self.lake.write(inference.key(LISTENS), pairs.to_bytes())
        process(self.lake, inference)
        return inference

    def begin(self, name: str) -> tuple[str, Training]:
        training = Training.of(name, NOW, {"started_by": "hand"}, Champion.read(self.lake).version)
        return begin(training, self.lease, self), training

    def finish(self, training: Training, inference: Inference) -> dict[str, Any]:
        candidate = make_candidate(self.lake, training, inference)
        self.registry.follow()
        promoted = candidate.promote and promote(self.lake, candidate.promoted(training.started_at), training.champion)
        self.registry.follow()
        self.lease.release(training.execution)
        return result_of(candidate, promoted=promoted)

    def run(self, name: str, pairs: Interactions) -> dict[str, Any]:
        decision, training = self.begin(name)
        assert decision == TRAIN
        return self.finish(training, self.prepare(pairs))


@pytest.fixture
def machine(moto_stage: MotoStage) -> Machine:
    return Machine(moto_stage)


def test_a_better_model_is_promoted_and_the_same_again_is_kept(machine: Machine) -> None:
    pairs = structured(users=300, tracks=300)
    first = machine.run("first", pairs)
    assert first["promoted"]
    assert first["champion"] is None
    assert first["interval"][0] > 0
    assert first["metrics"]["candidate"]["ndcg_at_10"] > 1.5 * first["metrics"]["candidate"]["popularity_ndcg_at_10"]
    second = machine.run("second", pairs)
    assert not second["promoted"]
    assert (second["champion"], second["metrics"]["champion"]) == (first["candidate"], first["metrics"]["candidate"])
    assert "not better beyond noise" in second["reason"]
    files = {each.sha256 for each in Candidate.all(machine.lake)}
    assert len(files) == 1, "of the same listens, the same bits"
    assert machine.registry.follow() == {"champion": first["candidate"], "challenger": second["candidate"]}


def test_of_random_listens_nothing_is_promoted(machine: Machine) -> None:
    result = machine.run("random", at_random(seed=1))
    assert not result["promoted"]
    assert "nothing can be learnt" in result["reason"]
    assert Champion.read(machine.lake) == Champion()
    assert machine.registry.follow() == {"challenger": result["candidate"]}


def test_one_training_works_at_a_time_and_an_ended_one_is_taken_over(machine: Machine) -> None:
    machine.running = {"mine"}
    assert machine.begin("mine")[0] == TRAIN
    assert machine.begin("mine")[0] == TRAIN, "a repetition"
    assert machine.begin("other")[0] == BUSY
    machine.running = set()
    assert machine.begin("other")[0] == TRAIN


def test_of_two_trainings_that_both_finish_one_wins(machine: Machine) -> None:
    """As when one was held up for so long that its lease was taken over."""
    inference = machine.prepare(structured(users=300, tracks=300))
    (_, mine), (_, other) = machine.begin("mine"), machine.begin("other")
    assert machine.finish(other, inference)["promoted"]
    result = machine.finish(mine, inference)
    assert not result["promoted"]
    assert "another model came into production meanwhile" in result["reason"]
    assert Champion.read(machine.lake).version == other.version


def test_a_crash_at_every_call_and_a_retry_give_one_version_and_one_champion(machine: Machine) -> None:
    inference = machine.prepare(structured(users=150, tracks=150))
    _, training = machine.begin("mine")
    with machine.stage.calls.record() as operations:
        expected = machine.finish(training, inference)
    written = {each.key: machine.lake.read(each.key) for each in machine.lake.list("recommender/models/")}
    for failure in call_failures(operations):
        if not failure.killed:
            continue
        machine.lake.delete([CHAMPION_KEY, *written])
        assert machine.begin("mine") == (TRAIN, training)
        with machine.stage.calls.intercept(failure), pytest.raises((AwsUnavailableError, KilledError)):
            machine.finish(training, inference)
        assert machine.finish(training, inference) == expected, failure
        found = {each.key: machine.lake.read(each.key) for each in machine.lake.list("recommender/models/")}
        assert found == written, failure
        assert [each.version for each in Champion.read(machine.lake).versions] == [training.version]
        assert machine.registry.follow() == {"champion": training.version}


@pytest.mark.parametrize("body", [None, b"no model"])
def test_the_last_good_champion_is_what_a_candidate_is_compared_with(machine: Machine, body: bytes | None) -> None:
    first = machine.run("first", structured(users=300, tracks=300))
    broken = Candidate.read(machine.lake, machine.run("second", structured(users=300, tracks=300))["candidate"])
    assert promote(machine.lake, broken.promoted(broken.trained_at), first["candidate"])
    if body is None:
        machine.lake.delete([broken.key])
    else:
        machine.lake.write(broken.key, body)
    third = machine.run("third", structured(day=30, users=300, tracks=300))
    assert third["champion"] == first["candidate"]
    assert third["promoted"] == (Champion.read(machine.lake).version == third["candidate"])
