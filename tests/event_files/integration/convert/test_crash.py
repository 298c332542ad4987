"""Any AWS call of any Convert state fails: retried or resumed, the run ends as if nothing had happened.

Plan, batches, commit and profile catch nothing that AWS does to them. So an execution that dies at a call stands for
any failure there that its state's retries do not get over.
"""

import random
from contextlib import suppress
from dataclasses import replace

import pytest

from sluice.event_files.convert.leaving_out import FruitlessRunError
from sluice.event_files.ledger import runs_dynamodb
from tests.support.moto.aws_calls import READS, AwsUnavailableError, CallFailure, KilledError, call_failures
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import assert_books_balance, ledger, snapshots

PAIRS = 8


@pytest.fixture(autouse=True)
def _small_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even the few chunks of these runs are to take several transactions, of 100 items at most."""
    assert 2 * runs_dynamodb._MOVE_LIMIT <= 100
    monkeypatch.setattr(runs_dynamodb, "_MOVE_LIMIT", 1)


def test_every_crash_then_a_new_execution(moto_stage: MotoStage) -> None:
    operations = _undisturbed(moto_stage)
    ways = [trouble for trouble in call_failures(operations) if trouble.killed]
    assert len(ways) == sum(operation not in READS for operation in operations) + 1
    for trouble in ways:
        _upload(moto_stage, str(trouble))
        _crash(moto_stage, trouble)
        assert ledger("run") or trouble.after or trouble.at == 1, "it is too late to die"
        _finish(moto_stage)
    _assert_all_the_same(len(ways))


def test_every_lost_answer_then_a_retry_of_the_state(moto_stage: MotoStage) -> None:
    ways = [trouble for trouble in call_failures(_undisturbed(moto_stage)) if trouble.after and not trouble.killed]
    for trouble in ways:
        _upload(moto_stage, str(trouble))
        with moto_stage.calls.intercept(trouble):
            assert moto_stage.convert(attempts=2) is not None
        _assert_done()
    _assert_all_the_same(len(ways))


def test_two_crashes_in_a_row(moto_stage: MotoStage) -> None:
    ways = list(call_failures(_undisturbed(moto_stage)))
    chance = random.Random(2)
    for number in range(PAIRS):
        _upload(moto_stage, f"pair-{number}")
        for trouble in chance.sample(ways, 2):
            _crash(moto_stage, replace(trouble))
        _finish(moto_stage)
    _assert_all_the_same(PAIRS)


def _upload(moto_stage: MotoStage, folder: str) -> None:
    """Commit two chunks: rows in two hours, one of them in both chunks, and dirty records in both."""
    first = body(event("MICROONE_EVENT", 1, hour=9), event("MICROONE_EVENT", 2, hour=10), broken(1))
    second = body(event("MICROONE_EVENT", 3, hour=10), b"no event")
    moto_stage.arrive(f"{folder}/first", first)
    moto_stage.arrive(f"{folder}/second", second)


def _undisturbed(moto_stage: MotoStage) -> list[str]:
    _upload(moto_stage, "undisturbed")
    with moto_stage.calls.record() as operations:
        _finish(moto_stage)
    writes = {"UpdateItem", "PutObject", "TransactWriteItems", "DeleteObjects", "DeleteItem", "UpdateTable"}
    reads = {"GetItem", "Query", "GetObject", "HeadObject", "ListObjectsV2", "GetTable", "GetDatabase"}
    assert set(operations) == reads | writes
    assert operations.count("TransactWriteItems") == 2
    return operations


def _crash(moto_stage: MotoStage, trouble: CallFailure) -> None:
    """Run an execution; the second of two troubles may lie beyond its end."""
    with moto_stage.calls.intercept(trouble), suppress(AwsUnavailableError, KilledError, FruitlessRunError):
        moto_stage.convert()


def _finish(moto_stage: MotoStage) -> None:
    moto_stage.convert()
    _assert_done()


def _assert_done() -> None:
    assert not ledger("run")
    assert not ledger("chunk#pending")
    assert not objects_of(LAKE, "data/clean_json/")


def _assert_all_the_same(ways: int) -> None:
    assert_books_balance()
    found = snapshots()
    expected = found.pop("undisturbed")
    assert [row["id"] for row in expected["MICROONE_EVENT"]] == [f"MICROONE_EVENT-{number}" for number in (1, 2, 3)]
    assert [row["hour"] for row in expected["MICROONE_EVENT"]] == [9, 10, 10]
    assert [row["passed"] for row in expected["PROFILING_LOG"]].count(False) == 2
    assert len(expected["PROFILING_LOG"]) == 5
    assert [row["reason"] for row in expected["DIRTY_EVENTS"]] == ["RULE_BROKEN", "FRAGMENT"]
    assert len(found) == ways
    assert [folder for folder, snapshot in found.items() if snapshot != expected] == []
