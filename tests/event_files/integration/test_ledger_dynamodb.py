"""The ledger on DynamoDB: pages, unprocessed keys, cancelled transactions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.aws import runtime
from sluice.event_files.ledger.ledger_dynamodb import UnprocessedError
from sluice.event_files.ledger.model import ChunkRecord, Counts, Segment, SourceObject, SourceRecord, Status
from tests.support.moto.aws_calls import Call, parameters_of
from tests.support.moto.stage import LEDGER, SOURCE, MotoStage
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
    monkeypatch.setattr(runtime, "_PAUSES", (0.0, 0.0))
    with pytest.raises(UnprocessedError, match="ledger"):
        moto_stage.ledger.finished(sources)
    assert asked == [7, 5, 3, 1, 7, 5, 3], "not for ever: what is left out is neither known nor unknown"


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


def test_what_is_decided_by_is_read_consistently(moto_stage: MotoStage) -> None:
    """A chunk or a lease of a moment ago is seen: else it would be converted by none, taken for an orphan, or twice."""
    moto_stage.ledger.commit([ChunkRecord("1", (Segment("T", 0, 1, 1),))], [])
    with parameters_of(moto_stage.dynamodb) as asked:
        moto_stage.runs.pending_chunks()
        moto_stage.runs.oldest_pending()
        moto_stage.runs.open_run()
        moto_stage.ledger.known_chunks(["1", "2"])
        moto_stage.ledger.items([SourceObject(SOURCE, "x", "e")])
    assert [name for name, _ in asked] == ["Query", "Query", "GetItem", *["BatchGetItem"] * 3]
    assert all(params.get("RequestItems", {}).get(LEDGER, params)["ConsistentRead"] for _, params in asked)


def test_a_chunk_is_committed_once(moto_stage: MotoStage) -> None:
    """Its record is that of the objects that lie there: another one under its id would lead nowhere."""
    chunk = ChunkRecord("1", (Segment("T", 0, 1, 1),))
    moto_stage.ledger.commit([chunk], [])
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        moto_stage.ledger.commit([ChunkRecord("1", (Segment("U", 0, 9, 9),))], [])
    assert moto_stage.runs.pending_chunks() == [chunk]


def test_the_record_of_a_chunk_outlives_its_dirty_records(moto_stage: MotoStage) -> None:
    """A stage keeps these for 390 days at most."""
    begun = moto_stage.now()
    moto_stage.ledger.commit([ChunkRecord("1", (Segment("T", 0, 1, 1),))], [])
    moto_stage.runs.mark_converted(["1"], "run")
    (item,) = ledger("chunk#converted")
    assert item["expires_at"] > (begun + timedelta(days=390)).timestamp()


def test_a_chunk_comes_back_as_it_was_committed(moto_stage: MotoStage) -> None:
    counts = Counts(events=9, unrelated=1, unknown_members=2, media_missing=3)
    counts.clean["T"] = 4
    counts.dirty.update({("T", "RULE_BROKEN"): 2, ("-", "FRAGMENT"): 1})
    chunk = ChunkRecord("1", (Segment("T", 0, 9, 4),), dirty_length=7, files=2, counts=counts, source_bytes=500)
    moto_stage.ledger.commit([chunk], [])
    assert moto_stage.runs.pending_chunks() == [chunk]


@pytest.mark.parametrize(
    ("times", "reasons"),
    [
        (3, ["TransactionConflict", "None", "None"]),
        (3, ["None", "TransactionConflict", "ThrottlingError"]),
        (3, ["ProvisionedThroughputExceeded", "None", "None"]),
        (1, ["ConditionalCheckFailed", "TransactionConflict", "None"]),
    ],
    ids=["conflict", "conflict and throttled", "throttled", "one is recorded, another in conflict"],
)
def test_a_cancelled_commit_is_tried_again(moto_stage: MotoStage, times: int, reasons: list[str]) -> None:
    """Only a failed condition says that an object is known; it is left out. Whatever else passes is waited for."""
    sources = [moto_stage.put("x/0", ONE), moto_stage.put("x/1", ONE)]
    with moto_stage.calls.intercept(_refused(times, "TransactWriteItems", _cancelled(moto_stage, *reasons))):
        outcome = moto_stage.validate(*sources)
    known = {source for source, why in zip(sources, reasons, strict=False) if why == "ConditionalCheckFailed"}
    assert (outcome.skipped, outcome.failed) == (known, {})
    assert {record.source for record in outcome.records} == set(sources) - known
    assert len(ledger("source#")) == len(outcome.records)
    assert_books_balance()


@pytest.mark.parametrize(
    ("reason", "failed"), [("TransactionConflict", {0}), ("ThrottlingError", {0, 1}), ("ValidationError", {0, 1})]
)
def test_only_objects_that_stay_in_conflict_come_again(
    moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch, reason: str, failed: set[int]
) -> None:
    """The others are committed without them; a table that is overloaded, or a bug, is no conflict of an object."""
    monkeypatch.setattr(runtime, "_PAUSES", (0.0, 0.0))
    sources = [moto_stage.put("x/0", ONE), moto_stage.put("x/1", ONE)]
    tries = 1 if reason == "ValidationError" else 3
    with moto_stage.calls.intercept(_refused(tries, "TransactWriteItems", _cancelled(moto_stage, reason, "None"))):
        outcome = moto_stage.validate(*sources)
    assert outcome.failed.keys() == {sources[number] for number in failed}
    assert {record.source for record in outcome.records} == set(sources) - outcome.failed.keys()
    assert_books_balance()


def test_every_write_in_the_way_of_a_transaction_is_tried_again(moto_stage: MotoStage) -> None:
    """A write of one item is refused by an exception of its own."""
    response: Any = {"Error": {"Code": "TransactionConflictException", "Message": "Transaction is ongoing"}}
    with moto_stage.calls.intercept(_refused(2, "PutItem", ClientError(response, "PutItem"))):
        moto_stage.ledger.note(SourceRecord(SourceObject(SOURCE, "x", "e"), Status.GONE, 0, Counts()))
    assert len(ledger("source#")) == 1
    moto_stage.ledger.commit([ChunkRecord("1", (Segment("T", 0, 1, 1),))], [])
    conflict = _cancelled(moto_stage, "TransactionConflict", "None")
    with moto_stage.calls.intercept(_refused(2, "TransactWriteItems", conflict)):
        moto_stage.runs.mark_converted(["1"], "run")
    assert (len(ledger("chunk#pending")), len(ledger("chunk#converted"))) == (0, 1)


def _refused(times: int, operation: str, error: ClientError) -> Callable[[str, Call], Any]:
    """Refuse the first calls of an operation."""
    waiting = [error] * times

    def around(called: str, call: Call) -> Any:
        if called == operation and waiting:
            raise waiting.pop()
        return call()

    return around


def _cancelled(moto_stage: MotoStage, *reasons: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    error: type[ClientError] = moto_stage.dynamodb.exceptions.TransactionCanceledException
    return error(response, "TransactWriteItems")
