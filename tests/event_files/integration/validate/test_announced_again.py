"""At-least-once delivery: whatever is announced again, or by two at once, each event counts once."""

from functools import partial

from tests.support.moto.aws_calls import READS, Interruption
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, SOURCE, MotoStage
from tests.support.sample_events import SMALL_CHUNKS, body, event, upload_mixed_files
from tests.support.snapshots import assert_books_balance, snapshots

CLEAN = body(event("MICROONE_EVENT", 1), event("MICROONE_EVENT", 2))


def test_in_one_invocation_in_another_and_after_the_conversion(moto_stage: MotoStage) -> None:
    source = moto_stage.put("x/a", CLEAN)
    first = moto_stage.validate(source, source)
    assert ([record.source for record in first.records], first.failed) == ([source], {})
    written = objects_of(LAKE)
    again = moto_stage.validate_again(source)
    assert (again.records, again.skipped, again.failed) == ([], {source}, {})
    assert objects_of(LAKE) == written
    _assert_two_rows(moto_stage)
    assert moto_stage.validate(source).skipped == {source}
    assert moto_stage.convert() is None


def test_for_the_first_time_twice(moto_stage: MotoStage) -> None:
    """S3 and EventBridge may announce an object more than once: each time is the first, as far as the queue knows."""
    source, new = moto_stage.put("x/a", CLEAN), moto_stage.put("x/new", b"")
    moto_stage.validate(source)
    again = moto_stage.validate(source, new)
    assert ([record.source for record in again.records], again.skipped, again.failed) == ([new], {source}, {})
    assert_books_balance()
    _assert_two_rows(moto_stage)


def test_a_replaced_object_is_gone_and_its_successor_is_validated(moto_stage: MotoStage) -> None:
    replaced = moto_stage.put("x/a", body(event("MICROONE_EVENT", 9)))
    successor = moto_stage.put("x/a", CLEAN)
    outcome = moto_stage.validate(replaced, successor)
    assert outcome.failed == {}
    assert moto_stage.record(replaced)["status"] == "gone"
    assert "deleted or replaced" in moto_stage.record(replaced)["message"]
    assert moto_stage.record(successor)["status"] == "validated"
    _assert_two_rows(moto_stage)


def test_an_object_that_was_gone_is_validated_when_it_is_uploaded_again(moto_stage: MotoStage) -> None:
    source = moto_stage.put("x/a", CLEAN)
    moto_stage.s3.delete_object(Bucket=SOURCE, Key=source.key)
    assert moto_stage.validate(source).failed == {}
    assert moto_stage.record(source)["status"] == "gone"
    assert moto_stage.put("x/a", CLEAN) == source
    moto_stage.validate(source)
    assert moto_stage.record(source)["status"] == "validated"
    assert "message" not in moto_stage.record(source)
    _assert_two_rows(moto_stage)


def test_a_refused_object_is_not_read_again(moto_stage: MotoStage) -> None:
    moto_stage.limits = SMALL_CHUNKS
    source = moto_stage.put("x/a", b" " * (SMALL_CHUNKS.max_file_bytes + 1))
    moto_stage.validate(source)
    with moto_stage.calls.record() as operations:
        assert moto_stage.validate_again(source).skipped == {source}
    assert operations == ["BatchGetItem"]


def test_a_validated_object_never_becomes_gone(moto_stage: MotoStage) -> None:
    """A late twin of the invocation finds the object deleted: what is recorded stays."""
    source = moto_stage.put("x/a", CLEAN)

    def meanwhile() -> None:
        moto_stage.validate(source)
        moto_stage.s3.delete_object(Bucket=SOURCE, Key=source.key)

    with moto_stage.calls.intercept(Interruption(2, meanwhile)):  # after the twin has asked the ledger
        moto_stage.validate(source)
    assert moto_stage.record(source)["status"] == "validated"
    _assert_two_rows(moto_stage)


def test_two_invocations_at_once(moto_stage: MotoStage) -> None:
    """Before each write of one invocation another one runs whole, with the same announcements or with some of them."""
    moto_stage.limits = SMALL_CHUNKS
    with moto_stage.calls.record() as operations:
        moto_stage.deliver(*upload_mixed_files(moto_stage, "undisturbed"))
    moments = [at for at, operation in enumerate(operations, start=1) if operation not in READS]
    for number, at in enumerate(moments):
        sources = upload_mixed_files(moto_stage, f"at-{at}")
        other = sources if number % 2 else [*sources[::2], *sources[1:2]]
        with moto_stage.calls.intercept(Interruption(at, partial(moto_stage.deliver, *other))):
            moto_stage.deliver(*sources)
    assert_books_balance()
    moto_stage.convert()
    found = snapshots()
    expected = found.pop("undisturbed")
    assert len(found) == len(moments) >= 10
    assert [folder for folder, snapshot in found.items() if snapshot != expected] == []


def _assert_two_rows(moto_stage: MotoStage) -> None:
    assert_books_balance()
    moto_stage.convert()
    assert [row["id"] for row in snapshots()["x"]["MICROONE_EVENT"]] == ["MICROONE_EVENT-1", "MICROONE_EVENT-2"]
