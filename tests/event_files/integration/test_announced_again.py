"""At-least-once delivery: whatever is announced again, or by two at once, each event counts once."""

from collections.abc import Callable

from sluice.event_files.ledger.model import SourceObject
from tests.support.deliveries import SMALL_CHUNKS, upload
from tests.support.events import body, event
from tests.support.snapshots import assert_books_balance, ledger, snapshots
from tests.support.storage import objects_of
from tests.support.tap import READS, Interruption
from tests.support.world import LAKE, SOURCE, World

CLEAN = body(event("MICROONE_EVENT", 1), event("MICROONE_EVENT", 2))


def test_twice_in_one_invocation(world: World) -> None:
    source = world.put("x/a", CLEAN)
    outcome = world.validate(source, source)
    assert [record.source for record in outcome.records] == [source]
    assert outcome.failed == {}
    _assert_two_rows(world)


def test_in_two_invocations(world: World) -> None:
    source = world.put("x/a", CLEAN)
    world.validate(source)
    written = objects_of(LAKE)
    again = world.validate(source)
    assert (again.records, again.skipped, again.failed) == ([], {source}, {})
    assert objects_of(LAKE) == written
    _assert_two_rows(world)


def test_for_the_first_time_twice(world: World) -> None:
    """S3 and EventBridge may announce an object more than once: each time is the first, as far as the queue knows."""
    source, new = world.put("x/a", CLEAN), world.put("x/new", b"")
    world.validate(source, first_time={source})
    again = world.validate(source, new, first_time={source, new})
    assert ([record.source for record in again.records], again.skipped, again.failed) == ([new], {source}, {})
    assert_books_balance()
    _assert_two_rows(world)


def test_after_its_conversion(world: World) -> None:
    source = world.put("x/a", CLEAN)
    world.validate(source)
    world.convert()
    assert world.validate(source).skipped == {source}
    assert world.convert() is None
    _assert_two_rows(world)


def test_same_content_under_the_same_key_is_the_same_object(world: World) -> None:
    world.validate(world.put("x/a", CLEAN))
    assert world.validate(world.put("x/a", CLEAN)).skipped == {world.put("x/a", CLEAN)}
    _assert_two_rows(world)


def test_same_content_under_another_key_is_another_object(world: World) -> None:
    world.validate(world.put("x/a", CLEAN), world.put("x/b", CLEAN))
    world.convert()
    assert len(snapshots()["x"]["MICROONE_EVENT"]) == 4


def test_a_replaced_object_is_gone_and_its_successor_is_validated(world: World) -> None:
    replaced = world.put("x/a", body(event("MICROONE_EVENT", 9)))
    successor = world.put("x/a", CLEAN)
    outcome = world.validate(replaced, successor)
    assert outcome.failed == {}
    assert world.record(replaced)["status"] == "gone"
    assert "deleted or replaced" in world.record(replaced)["message"]
    assert world.record(successor)["status"] == "validated"
    _assert_two_rows(world)


def test_what_was_gone_is_validated_when_it_is_uploaded_again(world: World) -> None:
    source = world.put("x/a", CLEAN)
    world.s3.delete_object(Bucket=SOURCE, Key=source.key)
    assert world.validate(source).failed == {}
    assert world.record(source)["status"] == "gone"
    assert world.put("x/a", CLEAN) == source
    world.validate(source)
    assert world.record(source)["status"] == "validated"
    assert "message" not in world.record(source)
    _assert_two_rows(world)


def test_what_was_refused_is_not_even_read_again(world: World) -> None:
    world.limits = SMALL_CHUNKS
    source = world.put("x/a", b" " * (SMALL_CHUNKS.max_file_bytes + 1))
    world.validate(source)
    with world.tap.listen() as operations:
        assert world.validate(source).skipped == {source}
    assert operations == ["BatchGetItem"]


def test_what_was_validated_never_becomes_gone(world: World) -> None:
    """A late twin of the invocation finds the object deleted: what is recorded stays."""
    source = world.put("x/a", CLEAN)

    def meanwhile() -> None:
        world.validate(source)
        world.s3.delete_object(Bucket=SOURCE, Key=source.key)

    with world.tap.around(Interruption(2, meanwhile)):  # after the twin has asked the ledger
        world.validate(source)
    assert world.record(source)["status"] == "validated"
    _assert_two_rows(world)


def test_two_invocations_at_once(world: World) -> None:
    """Before each write of one invocation another one runs whole, with the same announcements or with some of them."""
    world.limits = SMALL_CHUNKS
    with world.tap.listen() as operations:
        world.deliver(*upload(world, "undisturbed"))
    moments = [at for at, operation in enumerate(operations, start=1) if operation not in READS]
    for number, at in enumerate(moments):
        sources = upload(world, f"at-{at}")
        other = sources if number % 2 else [*sources[::2], *sources[1:2]]
        with world.tap.around(Interruption(at, _deliver(world, other))):
            world.deliver(*sources)
    assert_books_balance()
    world.convert()
    found = snapshots()
    expected = found.pop("undisturbed")
    assert len(found) == len(moments) >= 10
    assert [folder for folder, snapshot in found.items() if snapshot != expected] == []


def test_the_rest_of_a_batch_is_committed_when_another_was_first_with_a_part(world: World) -> None:
    known = world.put("x/known", body(event("MICROONE_EVENT", 1)))
    new = world.put("x/new", body(event("MICROONE_EVENT", 2)))
    with world.tap.around(Interruption(4, _deliver(world, [known]))):  # both are read, nothing is written
        outcome = world.validate(known, new)
    assert (outcome.skipped, [record.source for record in outcome.records]) == ({known}, [new])
    assert outcome.failed == {}
    assert len(ledger("chunk#pending")) == 2
    _assert_two_rows(world)


def _deliver(world: World, sources: list[SourceObject]) -> Callable[[], None]:
    return lambda: world.deliver(*sources)


def _assert_two_rows(world: World) -> None:
    assert_books_balance()
    world.convert()
    assert [row["id"] for row in snapshots()["x"]["MICROONE_EVENT"]] == ["MICROONE_EVENT-1", "MICROONE_EVENT-2"]
