"""Copies of large objects inside S3."""

import pytest

from cli.vendor_exports.slot_copies import MEBIBYTE, ObjectCopier, ObjectCopy
from tests.vendor_exports.integration.cli.conditional_s3 import ConditionalS3
from tests.vendor_exports.integration.cli.copy_missing_command import FOLDER, lake, put


def large(s3: ConditionalS3) -> tuple[ObjectCopier, ObjectCopy]:
    put(s3, "Voyage_1", body=b"x" * (11 * MEBIBYTE))
    key = f"{FOLDER}Voyage_1"
    etag = s3.head_object(Bucket="the-other", Key=key)["ETag"]
    return ObjectCopier(s3, 5 * MEBIBYTE), ObjectCopy("the-other", key, 11 * MEBIBYTE, etag, "the-lake", key)  # type: ignore[arg-type]


def test_large_files_are_copied_in_parts(s3: ConditionalS3) -> None:
    copier, copy = large(s3)
    copier.copy(copy)
    assert lake(s3) == {copy.to_key: b"x" * (11 * MEBIBYTE)}
    assert s3.copied == []


def test_a_large_copy_that_fails_leaves_nothing(s3: ConditionalS3) -> None:
    copier, copy = large(s3)
    s3.before = lambda _: s3.put_object(Bucket="the-other", Key=copy.key, Body=b"changed")
    with pytest.raises(Exception, match="PreconditionFailed"):
        copier.copy(copy)
    assert lake(s3) == {}
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="the-lake")


def test_a_large_file_that_appears_meanwhile_is_not_replaced(s3: ConditionalS3) -> None:
    copier, copy = large(s3)
    s3.before = lambda _: s3.put_object(Bucket="the-lake", Key=copy.to_key, Body=b"another")
    with pytest.raises(Exception, match="PreconditionFailed"):
        copier.copy(copy)
    assert lake(s3) == {copy.to_key: b"another"}
