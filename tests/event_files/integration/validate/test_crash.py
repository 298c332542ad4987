"""validate_files dies at any AWS call, or the call fails: after redelivery all is as if nothing had happened."""

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest

from sluice.event_files.ledger.model import SourceObject
from tests.support.moto.aws_calls import AwsUnavailableError, CallFailure, KilledError, call_failures
from tests.support.moto.stage import MemoryQueue, MotoStage
from tests.support.sample_events import MIXED_DIRTY_REASONS, MIXED_ROWS, SMALL_CHUNKS, upload_mixed_files
from tests.support.snapshots import assert_books_balance, ledger, snapshots

PAIRS = 8


@pytest.fixture
def small_chunks(moto_stage: MotoStage) -> MotoStage:
    moto_stage.limits = SMALL_CHUNKS
    moto_stage.media.note("a/MYLIB/1.png", "A", is_there=True)
    return moto_stage


def test_every_crash(small_chunks: MotoStage) -> None:
    operations = _undisturbed(small_chunks)
    ways = list(call_failures(operations))
    for trouble in ways:
        sources = upload_mixed_files(small_chunks, str(trouble))
        small_chunks.deliver(*_still_announced(small_chunks, sources, trouble))
    _assert_all_the_same(small_chunks, len(ways))


def test_two_crashes_in_a_row(small_chunks: MotoStage) -> None:
    ways = list(call_failures(_undisturbed(small_chunks)))
    chance = random.Random(1)
    for number in range(PAIRS):
        sources = upload_mixed_files(small_chunks, f"pair-{number}")
        first, second = map(replace, chance.sample(ways, 2))
        sources = _still_announced(small_chunks, sources, first, delivery=1)
        sources = _still_announced(small_chunks, sources, second)
        small_chunks.deliver(*sources)
    _assert_all_the_same(small_chunks, PAIRS)


def _undisturbed(moto_stage: MotoStage) -> list[str]:
    sources = upload_mixed_files(moto_stage, "undisturbed")
    with moto_stage.calls.record() as operations:
        moto_stage.deliver(*sources)
    expected = {"BatchGetItem", "GetObject", "Query", "PutObject", "PutItem", "TransactWriteItems"}
    assert set(operations) == expected, "the scenario must take every kind of call"
    assert operations.count("TransactWriteItems") >= 3
    return operations


def _still_announced(
    moto_stage: MotoStage, sources: list[SourceObject], trouble: CallFailure, delivery: int = 2
) -> list[SourceObject]:
    """Validate with trouble; return what SQS delivers again."""
    queue = MemoryQueue({str(number): source for number, source in enumerate(sources)})
    with moto_stage.calls.intercept(trouble), suppress(AwsUnavailableError, KilledError):
        queue.settle(moto_stage.take_turns(queue, delivery))
    return [*queue.waiting.values()]


def _assert_all_the_same(moto_stage: MotoStage, ways: int) -> None:
    assert_books_balance()
    assert moto_stage.convert() is not None
    assert_books_balance()
    assert not ledger("chunk#pending")
    found = snapshots()
    expected = found.pop("undisturbed")
    assert {table: len(rows) for table, rows in expected.items() if table.startswith("MICRO")} == MIXED_ROWS
    assert Counter(record["reason"] for record in expected["dirty"]) == MIXED_DIRTY_REASONS
    assert len(expected["unrelated"]) == 2
    assert Counter(record["passed"] for record in expected["PROFILING_LOG"]) == {True: 12, False: 5}
    assert Counter(record["status"] for record in expected["ledger"]) == {"validated": 5, "refused": 1, "gone": 1}
    assert len(found) == ways
    assert [folder for folder, snapshot in found.items() if snapshot != expected] == []
