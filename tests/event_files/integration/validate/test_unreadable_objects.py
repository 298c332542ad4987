"""Objects that cannot be read, or not as they were stored: the ledger says why, the announcement is not lost."""

import base64
import zlib

import pytest

from sluice.event_files.ledger.model import SourceObject
from tests.support.moto.backend import answer_with_body, answer_with_error
from tests.support.moto.stage import SOURCE, MotoStage
from tests.support.sample_events import dump, event
from tests.support.snapshots import ledger, tables

GOOD = dump(event("MICROONE_EVENT", 1))


def test_objects_that_cannot_be_read(moto_stage: MotoStage) -> None:
    """Deleted, forbidden, archived, or its bucket gone: said so, and read when it can be; neighbours are not harmed."""
    first, deleted, forbidden, last = (
        moto_stage.put(f"x/{name}", GOOD) for name in ("first", "deleted", "forbidden", "last")
    )
    moto_stage.s3.put_object(Bucket=SOURCE, Key="x/archived", Body=GOOD, StorageClass="GLACIER")
    archived = SourceObject(SOURCE, "x/archived", first.etag)
    elsewhere = SourceObject("a-bucket-that-is-gone", "x/elsewhere", first.etag)
    sources = [first, deleted, forbidden, archived, elsewhere, last]
    moto_stage.s3.delete_object(Bucket=SOURCE, Key=deleted.key)
    with answer_with_error(moto_stage.s3, "GetObject", forbidden.key, 403, "AccessDenied"):
        outcome = moto_stage.validate(*sources)
    assert set(outcome.failed) == {forbidden, archived}, "these come again, and end in the dead-letter queue"
    records = {source: moto_stage.record(source) for source in sources}
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
    assert moto_stage.validate(forbidden).failed == {}
    assert moto_stage.record(forbidden)["status"] == "validated"
    moto_stage.convert()
    assert [row["_source_key"] for row in tables()["MICROONE_EVENT"]] == ["x/first", "x/last", "x/forbidden"]


CHECKSUM = base64.b64encode(zlib.crc32(GOOD).to_bytes(4, "big")).decode()
WRONG = {
    "it breaks off behind a whole event": (GOOD, {"content-length": str(2 * len(GOOD))}),
    "bytes were damaged": (GOOD.replace(b"EVENT-1", b"EVENT-2"), {"x-amz-checksum-crc32": CHECKSUM}),
}


@pytest.mark.parametrize(("body", "headers"), WRONG.values(), ids=WRONG)
def test_an_answer_other_than_stored_is_no_file(moto_stage: MotoStage, body: bytes, headers: dict[str, str]) -> None:
    source, whole = moto_stage.put("x/a", GOOD), {"content-length": str(len(GOOD)), "x-amz-checksum-crc32": CHECKSUM}
    with answer_with_body(moto_stage.s3, source.key, body, whole | headers):
        outcome = moto_stage.validate(source)
    assert set(outcome.failed) == {source}
    assert ledger() == []
    with answer_with_body(moto_stage.s3, source.key, GOOD, whole):
        assert moto_stage.validate(source).failed == {}
    assert moto_stage.record(source)["clean"] == {"MICROONE_EVENT": 1}


def test_a_body_that_is_too_large_is_not_even_read(moto_stage: MotoStage) -> None:
    source = moto_stage.put("x/a", GOOD)
    with answer_with_body(moto_stage.s3, source.key, b"", {"content-length": str(5 << 40)}):
        assert moto_stage.validate(source).failed == {}
    assert moto_stage.record(source)["status"] == "refused"
    assert moto_stage.record(source)["bytes"] == 5 << 40
