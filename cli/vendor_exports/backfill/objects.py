"""Copy one object from bucket to bucket inside S3: only as it was listed, and never over another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cli.vendor_exports.backfill.missing_hours import proof_of
from sluice.aws.clients import error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

MEBIBYTE = 1024 * 1024

_MOST_PARTS = 10_000
_MOST_PROOF = 32 * MEBIBYTE
_KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata")
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True)
class Copy:
    """An object as it was listed, and where it goes."""

    bucket: str
    key: str
    size: int
    etag: str
    to_bucket: str
    to_key: str

    @property
    def source(self) -> Any:  # noqa: ANN401 - a dictionary that two operations spell differently
        """The object to copy, as requests name it."""
        return {"Bucket": self.bucket, "Key": self.key}


@dataclass(frozen=True, slots=True)
class ObjectCopier:
    """Copies at once, or in parts of `part_bytes` what is larger.

    Its own code because boto3's `copy` takes no condition on the key that is written.
    """

    s3: S3Client
    part_bytes: int = 256 * MEBIBYTE

    def copy(self, copy: Copy) -> None:
        """Copy an object; ClientError 412 when it changed since it was listed, or the key to write is taken."""
        if copy.size > self.part_bytes:
            self._copy_in_parts(copy)
            return
        self.s3.copy_object(
            Bucket=copy.to_bucket,
            Key=copy.to_key,
            CopySource=copy.source,
            CopySourceIfMatch=copy.etag,
            IfNoneMatch="*",
            TaggingDirective="REPLACE",  # without tags: copying them takes rights that nobody else needs
        )

    def copy_proof(self, copy: Copy) -> bool:
        """Write a manifest without addresses; False when it is none. ClientError as `copy` has it."""
        found = self.s3.get_object(Bucket=copy.bucket, Key=copy.key, IfMatch=copy.etag)
        proof = proof_of(found["Body"].read(_MOST_PROOF))
        if proof is not None:
            self.s3.put_object(Bucket=copy.to_bucket, Key=copy.to_key, Body=proof, IfNoneMatch="*")
        return proof is not None

    def size(self, copy: Copy) -> int | None:
        """Bytes of what lies where the object goes; None when nothing does."""
        try:
            return self.s3.head_object(Bucket=copy.to_bucket, Key=copy.to_key)["ContentLength"]
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise

    def _copy_in_parts(self, copy: Copy) -> None:
        found: dict[str, Any] = dict(self.s3.head_object(Bucket=copy.bucket, Key=copy.key, IfMatch=copy.etag))
        kept = {name: found[name] for name in _KEPT if name in found}
        target: Any = {"Bucket": copy.to_bucket, "Key": copy.to_key}
        target["UploadId"] = self.s3.create_multipart_upload(**target, **kept)["UploadId"]
        try:
            parts = [self._copy_part(copy, target, *part) for part in enumerate(self._ranges(copy.size), start=1)]
            self.s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException:
            self.s3.abort_multipart_upload(**target)
            raise

    def _copy_part(self, copy: Copy, target: Any, number: int, part: str) -> CompletedPartTypeDef:  # noqa: ANN401
        answer = self.s3.upload_part_copy(
            **target,
            PartNumber=number,
            CopySource=copy.source,
            CopySourceIfMatch=copy.etag,
            CopySourceRange=part,
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"].get("ETag", "")}

    def _ranges(self, size: int) -> Iterator[str]:
        step = max(self.part_bytes, -(-size // _MOST_PARTS))
        for start in range(0, size, step):
            yield f"bytes={start}-{min(start + step, size) - 1}"
