"""Objects that cannot be read, or not as they were stored: the ledger says why, the announcement is not lost."""

import base64
import zlib

from sluice.event_files.ledger.model import SourceObject
from tests.support.events import dump, event
from tests.support.snapshots import ledger, tables
from tests.support.wire import delivery, refusal
from tests.support.world import SOURCE, World

GOOD = dump(event("MICROONE_EVENT", 1))


def test_objects_that_cannot_be_read(world: World) -> None:
    """Deleted, forbidden, archived, or its bucket gone: said so, and read when it can be; neighbours are not harmed."""
    first, deleted, forbidden, last = (
        world.put(f"x/{name}", GOOD) for name in ("first", "deleted", "forbidden", "last")
    )
    archived = _archive(world, "x/archived")
    elsewhere = SourceObject("a-bucket-that-is-gone", "x/elsewhere", first.etag)
    sources = [first, deleted, forbidden, archived, elsewhere, last]
    world.s3.delete_object(Bucket=SOURCE, Key=deleted.key)
    with refusal(world.s3, "GetObject", forbidden.key, 403, "AccessDenied"):
        outcome = world.validate(*sources)
    assert set(outcome.failed) == {forbidden, archived}, "these come again, and end in the dead-letter queue"
    records = {source: world.record(source) for source in sources}
    assert [record["status"] for record in records.values()] == [
        "validated",
        "gone",
        "unreadable",
        "unreadable",
        "gone",
        "validated",
    ]
    for source in (deleted, forbidden, archived, elsewhere):
        assert f"s3://{source.bucket}/{source.key} " in records[source]["message"]
    assert "s3:GetObject" in records[forbidden]["message"]
    assert "InvalidObjectState" in records[archived]["message"]
    assert "upload it again" in records[deleted]["message"]
    assert world.validate(forbidden).failed == {}
    assert world.record(forbidden)["status"] == "validated"
    world.convert()
    assert [row["_source_key"] for row in tables()["MICROONE_EVENT"]] == ["x/first", "x/last", "x/forbidden"]


def _archive(world: World, key: str) -> SourceObject:
    etag = world.s3.put_object(Bucket=SOURCE, Key=key, Body=GOOD, StorageClass="GLACIER")["ETag"]
    return SourceObject(SOURCE, key, etag.strip('"'))


def test_an_answer_that_breaks_off_is_no_file(world: World) -> None:
    """The connection is lost after a whole event has come: nothing counts until all of it has."""
    source = world.put("x/a", GOOD * 3)
    with delivery(world.s3, source.key, GOOD * 2, {"content-length": str(len(GOOD * 3))}):
        outcome = world.validate(source)
    assert set(outcome.failed) == {source}
    assert ledger() == []
    world.deliver(source)
    assert world.record(source)["clean"] == {"MICROONE_EVENT": 3}


def test_an_answer_that_is_not_what_was_stored_is_no_file(world: World) -> None:
    """Bytes were damaged on their way: S3's checksum does not fit them."""
    source = world.put("x/a", GOOD)
    checksum = base64.b64encode(zlib.crc32(GOOD).to_bytes(4, "big")).decode()
    headers = {"content-length": str(len(GOOD)), "x-amz-checksum-crc32": checksum}
    with delivery(world.s3, source.key, GOOD.replace(b"MICROONE_EVENT-1", b"MICROONE_EVENT-2"), headers):
        outcome = world.validate(source)
    assert set(outcome.failed) == {source}
    assert ledger() == []
    with delivery(world.s3, source.key, GOOD, headers):
        assert world.validate(source).failed == {}


def test_a_body_that_is_too_large_is_not_even_read(world: World) -> None:
    source = world.put("x/a", GOOD)
    with delivery(world.s3, source.key, b"", {"content-length": str(5 << 40)}):
        assert world.validate(source).failed == {}
    assert world.record(source)["status"] == "refused"
    assert world.record(source)["bytes"] == 5 << 40
