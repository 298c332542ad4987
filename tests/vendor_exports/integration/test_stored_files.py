"""The bucket that vendor files land in, as S3 keeps them."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest
from botocore.exceptions import ClientError

from sluice.vendor_exports.delivery.copy_files import PART_BYTES
from sluice.vendor_exports.delivery.stored_files_s3 import S3StoredFiles
from sluice.vendor_exports.delivery.transfers import DownloadError, Provenance, ServerBusyError, StoredFile
from tests.support.moto.backend import answer_with_error, objects_of
from tests.support.moto.stage import LAKE, MotoStage

KEY = "DEV/IMOSDL/Hourly/20260301/12/Voyage_é 1+2.json.gz"
CAME = Provenance("guid", "one", "etag", refetched=False)
FULL = bytes(PART_BYTES)


@pytest.fixture
def landing(moto_stage: MotoStage) -> S3StoredFiles:
    return S3StoredFiles(moto_stage.s3, LAKE)


def _checksum(body: bytes) -> str:
    return b64encode(crc32(body).to_bytes(4)).decode()


@pytest.mark.parametrize(
    "provenance",
    [
        CAME,
        Provenance("guid", "one", "", refetched=True),
        Provenance("a job: ünïcode\r\n", "the one", '"weak" etag-3', refetched=False),
        Provenance("", "", "", refetched=False),
    ],
)
def test_a_file_and_where_it_comes_from(landing: S3StoredFiles, provenance: Provenance) -> None:
    landing.put(KEY, b"abc", provenance)
    assert objects_of(LAKE) == {KEY: b"abc"}
    assert landing.head(KEY) == StoredFile(3, provenance)
    assert landing.heads(["nothing", KEY]) == [None, StoredFile(3, provenance)]


def test_a_file_of_somebody_else(moto_stage: MotoStage, landing: S3StoredFiles) -> None:
    moto_stage.s3.put_object(Bucket=LAKE, Key=KEY, Body=b"abc", Metadata={"refetched": "true"})
    assert landing.head(KEY) == StoredFile(3, None)


def test_access_that_was_withdrawn_is_no_missing_file(moto_stage: MotoStage, landing: S3StoredFiles) -> None:
    with answer_with_error(moto_stage.s3, "HeadObject", "x", 403, "AccessDenied"), pytest.raises(ClientError):
        landing.head("x")


@pytest.mark.parametrize(
    ("operation", "write"),
    [
        ("PutObject", lambda landing: landing.put("x", b"abc", CAME)),
        ("AbortMultipartUpload", lambda landing: landing.abort("x", landing.begin("x", CAME))),
    ],
)
def test_a_write_that_is_denied_is_the_reason_of_the_file(
    moto_stage: MotoStage, landing: S3StoredFiles, operation: str, write: Callable[[S3StoredFiles], object]
) -> None:
    denied = answer_with_error(moto_stage.s3, operation, "x", 403, "AccessDenied")
    with denied, pytest.raises(DownloadError, match=rf"denies the write \(AccessDenied to {operation}\): restore"):
        write(landing)


def test_a_bucket_that_stays_busy_is_waited_for(moto_stage: MotoStage, landing: S3StoredFiles) -> None:
    busy = answer_with_error(moto_stage.s3, "PutObject", "x", 400, "SlowDown")  # a status that is not tried again
    with busy, pytest.raises(ServerBusyError, match=r"the lake bucket is busy \(SlowDown to PutObject\)"):
        landing.put("x", b"abc", CAME)


def test_bodies_are_sent_with_their_checksums(moto_stage: MotoStage, landing: S3StoredFiles) -> None:
    sent: dict[str, Any] = {}

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        sent[model.name] = {name.lower(): value for name, value in params["headers"].items()}

    moto_stage.s3.meta.events.register("before-call.s3", note)
    landing.put(KEY, b"abc", CAME)
    upload_id = landing.begin(KEY, CAME)
    part = landing.put_part(KEY, upload_id, 1, b"abc")
    landing.complete(KEY, upload_id, [part])
    moto_stage.s3.meta.events.unregister("before-call.s3", note)
    assert part.checksum == _checksum(b"abc")
    for operation in ("PutObject", "UploadPart"):
        assert sent[operation]["x-amz-sdk-checksum-algorithm"] == "CRC32"
    assert sent["CreateMultipartUpload"]["x-amz-checksum-algorithm"] == "CRC32"


def test_a_file_in_parts(landing: S3StoredFiles) -> None:
    upload_id = landing.begin(KEY, CAME)
    assert landing.parts(KEY, upload_id) == ()
    assert landing.head(KEY) is None
    parts = [landing.put_part(KEY, upload_id, number, body) for number, body in ((1, FULL), (2, b"rest"))]
    assert [(part.number, part.size, part.checksum) for part in parts] == [
        (1, PART_BYTES, _checksum(FULL)),
        (2, 4, _checksum(b"rest")),
    ]
    found = landing.parts(KEY, upload_id)
    # moto forgets the checksums of parts; S3 does not.
    assert [replace(part, checksum="") for part in parts] == list(found)
    landing.complete(KEY, upload_id, found)
    assert objects_of(LAKE) == {KEY: FULL + b"rest"}
    assert landing.head(KEY) == StoredFile(PART_BYTES + 4, CAME)
    assert landing.parts(KEY, upload_id) == ()


def test_parts_count_up_to_the_first_gap(landing: S3StoredFiles) -> None:
    upload_id = landing.begin(KEY, CAME)
    for number in (4, 2, 1, 5):
        landing.put_part(KEY, upload_id, number, b"x")
    found = landing.parts(KEY, upload_id)
    assert [part.number for part in found] == [1, 2]


def test_many_parts_come_in_pages(
    moto_stage: MotoStage, landing: S3StoredFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = landing.begin(KEY, CAME)
    for number in range(1, 8):
        landing.put_part(KEY, upload_id, number, b"x" * number)
    call = moto_stage.s3._make_api_call  # type: ignore[attr-defined]
    monkeypatch.setattr(moto_stage.s3, "_make_api_call", lambda name, options: call(name, {**options, "MaxParts": 3}))
    with moto_stage.calls.record() as operations:
        found = landing.parts(KEY, upload_id)
    assert [part.size for part in found] == list(range(1, 8))
    assert operations == ["ListParts"] * 3


def test_an_upload_that_is_thrown_away(landing: S3StoredFiles) -> None:
    upload_id = landing.begin(KEY, CAME)
    landing.put_part(KEY, upload_id, 1, b"x")
    landing.abort(KEY, upload_id)
    landing.abort(KEY, upload_id)
    assert landing.parts(KEY, upload_id) == ()
    assert objects_of(LAKE) == {}
