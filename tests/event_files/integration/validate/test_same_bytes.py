"""The same bytes under the same key add nothing, whatever ETag S3 gives them; their ETag is known all the same."""

import hashlib
from functools import partial
from typing import Any

import pytest

from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.source_store_s3 import S3SourceStore
from tests.support.cli_environment import connect_commands, deployment, sluice_json
from tests.support.moto.aws_calls import Interruption
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, LEDGER, SOURCE, MotoStage
from tests.support.sample_events import SMALL_CHUNKS, body, event
from tests.support.snapshots import assert_books_balance, ledger, snapshots

KEY = "x/a"
CLEAN = body(*(event("MICROONE_EVENT", number) for number in range(4)))
PART = len(CLEAN) // 2


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)


def put_in_parts(stage: MotoStage, content: bytes, size: int = PART) -> SourceObject:
    place: Any = {"Bucket": SOURCE, "Key": KEY}
    upload = place | {"UploadId": stage.s3.create_multipart_upload(**place)["UploadId"]}
    cut = [content[start : start + size] for start in range(0, len(content), size)]
    tags = [stage.s3.upload_part(**upload, PartNumber=n, Body=part)["ETag"] for n, part in enumerate(cut, 1)]
    parts: Any = {"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]}
    etag = stage.s3.complete_multipart_upload(**upload, MultipartUpload=parts)["ETag"].strip('"')
    assert etag.endswith(f"-{len(cut)}")
    return SourceObject(SOURCE, KEY, etag)


def test_in_parts_in_other_parts_and_in_one(moto_stage: MotoStage) -> None:
    uploads = [
        partial(put_in_parts, moto_stage, CLEAN),
        partial(put_in_parts, moto_stage, CLEAN, PART + 1),
        partial(moto_stage.put, KEY, CLEAN),
    ]
    for first in range(len(uploads)):
        moto_stage.limits = SMALL_CHUNKS if first == 1 else moto_stage.limits  # it fills chunks of its own
        for number, upload in enumerate([*uploads[first:], *uploads[:first]]):
            source = upload()
            outcome = moto_stage.validate(source)
            assert (outcome.failed, len(outcome.records)) == ({}, 1 if number == first == 0 else 0)
            with moto_stage.calls.record() as operations:
                assert moto_stage.validate_again(source).skipped == {source}
            assert operations == ["BatchGetItem"], "a known object is not read"
    assert_books_balance()
    moto_stage.convert()
    assert len(snapshots()["x"]["MICROONE_EVENT"]) == 4


def test_what_is_said_of_each(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = put_in_parts(moto_stage, CLEAN)
    moto_stage.validate(first)
    again = put_in_parts(moto_stage, CLEAN, PART + 1)
    moto_stage.validate(again)
    assert moto_stage.record(first)["clean"] == {"MICROONE_EVENT": 4}
    assert (moto_stage.record(again)["status"], moto_stage.record(again)["events"]) == ("repeated", 0)
    assert hashlib.md5(CLEAN, usedforsecurity=False).hexdigest() in moto_stage.record(again)["message"]
    assert len(ledger("source#")) == 3
    outputs = {"SourceBucket": SOURCE, "LakeBucket": LAKE, "LedgerTable": LEDGER}
    connect_commands(deployment(outputs=outputs), monkeypatch)
    versions = sluice_json("file", KEY)["versions"]
    assert [(version["etag"], version["status"], version["clean"]) for version in versions] == [
        (again.etag, "repeated", {}),
        (first.etag, "validated", {"MICROONE_EVENT": 4}),
    ]


def test_a_usual_object_is_one_write(moto_stage: MotoStage) -> None:
    """Its ETag is its MD5; an object in parts has its ETag noted, too."""
    with moto_stage.calls.record() as operations:
        moto_stage.validate(moto_stage.put("x/usual", CLEAN))
    assert "PutItem" not in operations
    assert len(ledger("source#")) == operations.count("TransactWriteItems") == 1
    with moto_stage.calls.record() as operations:
        moto_stage.validate(put_in_parts(moto_stage, CLEAN))
    assert (operations.count("TransactWriteItems"), operations.count("PutItem")) == (1, 1)


def test_other_bytes_and_other_keys_are_other_objects(moto_stage: MotoStage) -> None:
    one, other = put_in_parts(moto_stage, CLEAN), moto_stage.put("x/b", CLEAN)
    assert len(moto_stage.validate(one, other).records) == 2
    assert len(moto_stage.validate(put_in_parts(moto_stage, CLEAN + b" ")).records) == 1


def test_replaced_by_its_own_bytes_while_it_is_read(moto_stage: MotoStage) -> None:
    """Two announcements of one call name the same bytes: one transaction cannot record an item twice."""
    first = moto_stage.put(KEY, CLEAN)
    second = put_in_parts(moto_stage, CLEAN)
    moto_stage.put(KEY, CLEAN)
    with moto_stage.calls.intercept(Interruption(2, lambda: put_in_parts(moto_stage, CLEAN))):
        outcome = moto_stage.validate(first, second)
    assert (len(outcome.records), outcome.skipped, outcome.failed) == (1, {second}, {})
    assert_books_balance()


def test_a_crash_before_the_etag_is_noted(moto_stage: MotoStage) -> None:
    source = put_in_parts(moto_stage, CLEAN)

    def fail(**_: Any) -> None:
        raise ConnectionError

    moto_stage.dynamodb.meta.events.register("provide-client-params.dynamodb.PutItem", fail)
    assert set(moto_stage.validate(source).failed) == {source}, "it is announced again"
    moto_stage.dynamodb.meta.events.unregister("provide-client-params.dynamodb.PutItem", fail)
    again = moto_stage.validate(source)
    assert (again.records, again.skipped, again.failed) == ([], {source}, {})
    assert_books_balance()


@pytest.mark.parametrize("encryption", ["aws:kms", "aws:kms:dsse"])
def test_the_etag_of_an_encrypted_object_is_not_believed(moto_stage: MotoStage, encryption: str) -> None:
    """It looks like an MD5, and is none."""
    source = moto_stage.put(KEY, CLEAN)
    events, name = moto_stage.s3.meta.events, "after-call.s3.GetObject"

    def encrypted(parsed: dict[str, Any], **_: Any) -> None:
        parsed["ServerSideEncryption"] = encryption

    def anything(params: dict[str, Any], **_: Any) -> None:
        params.pop("IfMatch")

    events.register(name, encrypted)
    events.register("provide-client-params.s3.GetObject", anything)
    try:
        read = S3SourceStore(moto_stage.s3).read(SourceObject(SOURCE, KEY, "0" * 32), len(CLEAN))
    finally:
        events.unregister(name, encrypted)
        events.unregister("provide-client-params.s3.GetObject", anything)
    assert read.digest == source.etag


def test_nothing_is_written_for_what_is_known(moto_stage: MotoStage) -> None:
    moto_stage.validate(put_in_parts(moto_stage, CLEAN))
    written = objects_of(LAKE)
    assert moto_stage.validate_again(moto_stage.put(KEY, CLEAN)).records == []
    assert objects_of(LAKE) == written
