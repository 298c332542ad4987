"""Vendor files in the lake bucket: small ones are put at once, large ones by multipart upload."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

from sluice.aws.runtime import error_code
from sluice.vendor_exports.delivery.transfers import DownloadError, Part, Provenance, ServerBusyError, StoredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THREADS = 16
_CHECKSUM: Literal["CRC32"] = "CRC32"
_DENIED = frozenset({"AccessDenied", "403", "Forbidden"})
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "503", "500"})


@contextmanager
def _refusals_raised() -> Iterator[None]:
    """Raise as DownloadError, which becomes the file's reason, that S3 denies a write or is busy after all attempts."""
    try:
        yield
    except ClientError as error:
        refused = f"{error_code(error)} to {error.operation_name}"
        if error_code(error) in _BUSY:
            raise ServerBusyError(f"the lake bucket is busy ({refused})") from error
        if error_code(error) not in _DENIED:
            raise
        advice = "restore the function's permissions"
        raise DownloadError(f"the lake bucket denies the write ({refused}): {advice}") from error


@dataclass(frozen=True, slots=True)
class S3StoredFiles:
    """Reads and writes files with their provenance as metadata. Every body is sent with its checksum."""

    client: "S3Client"
    bucket: str

    def head(self, key: str) -> StoredFile | None:
        """Return the file under a key."""
        try:
            found = self.client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error_code(error) in {"404", "NoSuchKey", "NotFound"}:
                return None
            raise
        return StoredFile(found["ContentLength"], _provenance(found["Metadata"]))

    def heads(self, keys: Sequence[str]) -> list[StoredFile | None]:
        """Return the file under each key, in order."""
        with ThreadPoolExecutor(_THREADS) as threads:
            return list(threads.map(self.head, keys))

    @_refusals_raised()
    def put(self, key: str, body: bytes, provenance: Provenance) -> None:
        """Write a file whole."""
        self.client.put_object(
            Bucket=self.bucket, Key=key, Body=body, Metadata=_metadata(provenance), ChecksumAlgorithm=_CHECKSUM
        )

    @_refusals_raised()
    def begin(self, key: str, provenance: Provenance) -> str:
        """Begin a multipart upload; return its id."""
        begun = self.client.create_multipart_upload(
            Bucket=self.bucket, Key=key, Metadata=_metadata(provenance), ChecksumAlgorithm=_CHECKSUM
        )
        return begun["UploadId"]

    def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """Return the uploaded parts, from the first to the first gap; none when there is no such upload."""
        pages = self.client.get_paginator("list_parts").paginate(Bucket=self.bucket, Key=key, UploadId=upload_id)
        try:
            found = [_part(part["PartNumber"], part, part["Size"]) for page in pages for part in page.get("Parts", ())]
        except ClientError as error:
            if error_code(error) in {"NoSuchUpload", "NoSuchKey"}:
                return ()
            raise
        found.sort(key=lambda part: part.number)
        return tuple(part for number, part in enumerate(found, start=1) if part.number == number)

    @_refusals_raised()
    def put_part(self, key: str, upload_id: str, number: int, body: bytes) -> Part:
        """Upload a part; numbers begin with 1."""
        answer = self.client.upload_part(
            Bucket=self.bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body, ChecksumAlgorithm=_CHECKSUM
        )
        return _part(number, answer, len(body))

    @_refusals_raised()
    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the file of its parts."""
        listed: list[Any] = [
            {"PartNumber": part.number, "ETag": part.etag} | ({"ChecksumCRC32": part.checksum} if part.checksum else {})
            for part in parts
        ]
        self.client.complete_multipart_upload(
            Bucket=self.bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed}
        )

    @_refusals_raised()
    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload."""
        try:
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if error_code(error) not in {"NoSuchUpload", "NoSuchKey"}:
                raise


def _part(number: int, answer: Any, size: int) -> Part:  # noqa: ANN401 - two answers with the same members
    return Part(number, answer["ETag"], answer.get("ChecksumCRC32", ""), size)


def _metadata(provenance: Provenance) -> dict[str, str]:
    """Return a provenance as S3 metadata, in ASCII."""
    return {
        "job": quote(provenance.job_guid),
        "execution": quote(provenance.execution),
        "source-etag": quote(provenance.source_etag),
        "refetched": str(provenance.refetched).lower(),
    }


def _provenance(metadata: dict[str, str]) -> Provenance | None:
    if "job" not in metadata:
        return None
    text = {name: unquote(metadata.get(name, "")) for name in ("job", "execution", "source-etag")}
    return Provenance(text["job"], text["execution"], text["source-etag"], metadata.get("refetched") == "true")
