"""The ledger on DynamoDB: pages, unprocessed keys, cancelled transactions."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.event_files.ledger.model import ChunkRecord, Counts, Segment, SourceObject
from tests.support.aws_calls import Call
from tests.support.moto_stage import SOURCE, MotoStage
from tests.support.sample_events import body, event
from tests.support.snapshots import assert_books_balance, ledger

ONE = body(event("MICROONE_EVENT", 1))


def test_unprocessed_keys_are_asked_for_again(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [moto_stage.put(f"x/{number}", b"?") for number in range(7)]
    moto_stage.validate(*sources)
    batch_get_item: Any = moto_stage.dynamodb.batch_get_item
    asked: list[int] = []

    def reluctant(RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, wanted),) = RequestItems.items()
        asked.append(len(wanted["Keys"]))
        answer: dict[str, Any] = {**batch_get_item(RequestItems={table: {**wanted, "Keys": wanted["Keys"][:2]}})}
        rest = {**wanted, "Keys": wanted["Keys"][2:]}
        return {**answer, "UnprocessedKeys": {table: rest} if rest["Keys"] else {}}

    monkeypatch.setattr(moto_stage.dynamodb, "batch_get_item", reluctant)
    assert moto_stage.ledger.finished(sources) == frozenset(sources)
    assert asked == [7, 5, 3, 1]


def test_more_records_than_one_request_takes(moto_stage: MotoStage) -> None:
    sources = [SourceObject(SOURCE, f"x/{number}", "e") for number in range(250)]
    with moto_stage.calls.record() as operations:
        assert moto_stage.ledger.finished(sources) == frozenset()
    assert operations == ["BatchGetItem"] * 3


def test_more_pending_chunks_than_a_page_takes(moto_stage: MotoStage) -> None:
    """A query's page ends at 1 MB."""
    for number in range(12):
        counts = Counts(events=1)
        counts.clean["T" * 100_000] = 1
        moto_stage.ledger.commit([ChunkRecord(f"{number:02}", (Segment("T", 0, 1, 1),), counts=counts)], [])
    with moto_stage.calls.record() as operations:
        chunks = moto_stage.runs.pending_chunks()
    assert operations == ["Query", "Query"]
    assert [chunk.chunk_id for chunk in chunks] == [f"{number:02}" for number in range(12)], "oldest first"


def test_a_chunk_comes_back_as_it_was_committed(moto_stage: MotoStage) -> None:
    counts = Counts(events=9, unrelated=1, unknown_members=2, media_missing=3)
    counts.clean["T"] = 4
    counts.dirty.update({("T", "RULE_BROKEN"): 2, ("-", "FRAGMENT"): 1})
    chunk = ChunkRecord("1", (Segment("T", 0, 9, 4),), dirty_bytes=7, files=2, counts=counts, source_bytes=500)
    moto_stage.ledger.commit([chunk], [])
    assert moto_stage.runs.pending_chunks() == [chunk]


@pytest.mark.parametrize(
    ("reasons", "skipped", "failed"),
    [
        (["TransactionConflict", "None", "None"], [], [0, 1]),
        (["None", "None", "ThrottlingError"], [], [0, 1]),
        (["ConditionalCheckFailed", "TransactionConflict", "None"], [0], []),
    ],
    ids=["conflict", "throttled", "one is recorded, another in conflict"],
)
def test_a_cancelled_commit(moto_stage: MotoStage, reasons: list[str], skipped: list[int], failed: list[int]) -> None:
    """Only a failed condition says that an object is known. What was not committed comes again, or goes without it."""
    sources = [moto_stage.put("x/0", ONE), moto_stage.put("x/1", ONE)]
    with moto_stage.calls.intercept(_once("TransactWriteItems", _cancelled(moto_stage, reasons))):
        outcome = moto_stage.validate(*sources)
    assert outcome.skipped == {sources[number] for number in skipped}
    assert set(outcome.failed) == {sources[number] for number in failed}
    assert {record.source for record in outcome.records} == set(sources) - outcome.skipped - outcome.failed.keys()
    assert len(ledger("source#")) == len(outcome.records)
    assert_books_balance()


def _once(operation: str, answer: Callable[[], Any]) -> Callable[[str, Call], Any]:
    waiting = [answer]

    def around(called: str, call: Call) -> Any:
        return waiting.pop()() if called == operation and waiting else call()

    return around


def _cancelled(moto_stage: MotoStage, reasons: list[str]) -> Callable[[], Any]:
    def cancel() -> Any:
        response: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": [{"Code": reason} for reason in reasons],
        }
        error: type[ClientError] = moto_stage.dynamodb.exceptions.TransactionCanceledException
        raise error(response, "TransactWriteItems")

    return cancel
