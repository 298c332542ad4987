"""Copies of large objects inside S3."""

from __future__ import annotations

import pytest

from cli.platform.session import Deployment
from cli.vendor_exports.slot_copies import MEBIBYTE, ObjectCopy, ObjectCopier
from tests.vendor_exports.integration.cli.back_filling import FOLDER, connected, lake, put
from tests.vendor_exports.integration.cli.strict_copies import StrictCopies


@pytest.fixture(autouse=True)
def s3(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> StrictCopies:
    return connected(stage, monkeypatch)


def large(s3: StrictCopies) -> tuple[ObjectCopier, ObjectCopy]:
    put(s3, "Voyage_1", body=b"x" * (11 * MEBIBYTE))
    key = f"{FOLDER}Voyage_1"
    etag = s3.head_object(Bucket="the-other", Key=key)["ETag"]
    return ObjectCopier(s3, 5 * MEBIBYTE), ObjectCopy("the-other", key, 11 * MEBIBYTE, etag, "the-lake", key)  # type: ignore[arg-type]


def test_large_files_are_copied_in_parts(s3: StrictCopies) -> None:
    copier, copy = large(s3)
    copier.copy(copy)
    assert lake(s3) == {copy.to_key: b"x" * (11 * MEBIBYTE)}
    assert s3.copied == []


def test_a_large_copy_that_fails_leaves_nothing(s3: StrictCopies) -> None:
    copier, copy = large(s3)
    s3.before = lambda _: s3.put_object(Bucket="the-other", Key=copy.key, Body=b"changed")
    with pytest.raises(Exception, match="PreconditionFailed"):
        copier.copy(copy)
    assert lake(s3) == {}
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="the-lake")


def test_a_large_file_that_appears_meanwhile_is_not_replaced(s3: StrictCopies) -> None:
    copier, copy = large(s3)
    s3.before = lambda _: s3.put_object(Bucket="the-lake", Key=copy.to_key, Body=b"another")
    with pytest.raises(Exception, match="PreconditionFailed"):
        copier.copy(copy)
    assert lake(s3) == {copy.to_key: b"another"}
