"""Source objects on S3, read one by one, small ones ahead."""

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sluice.aws.runtime import error_code
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.source_objects import SourceBody, SourceGoneError, SourceUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "404", "412", "PreconditionFailed"})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "InvalidObjectState"})
_AHEAD = 16  # objects
_SMALL = 1 << 20  # bytes; larger ones would fill the memory, and their bytes take longer than the wait for the first

_MD5 = re.compile("[0-9a-f]{32}")


class S3SourceStore:
    """Reads source objects, each exactly as it was announced, from buckets of an account (None: of any)."""

    def __init__(self, client: "S3Client", owner: str | None = None) -> None:
        self._client = client
        self._expected_owner: Any = {"ExpectedBucketOwner": owner} if owner else {}
        self._threads = ThreadPoolExecutor(_AHEAD)
        self._expected: Iterator[SourceObject] = iter(())
        self._begun: deque[tuple[SourceObject, Future[SourceBody]]] = deque()

    def expect(self, sources: Iterable[SourceObject]) -> None:
        """Announce the objects that will be read, in that order; small ones are fetched ahead."""
        self._expected = iter(tuple(dict.fromkeys(sources)))
        self._begun.clear()
        self._fetch_ahead()

    def read(self, source: SourceObject, max_bytes: int) -> SourceBody:
        """Return the object's size and body; None for a body larger than `max_bytes`.

        Raises:
            SourceGoneError: It was deleted, or replaced by other content that is announced by itself.
            SourceUnreadableError: Access to it is denied, or it is archived.
        """
        try:
            found = self._fetched(source) or self._fetch(source, max_bytes)
        except ClientError as error:
            raise _domain_error(source, error) from error
        return found._replace(body=None) if found.size > max_bytes else found

    def _fetched(self, source: SourceObject) -> SourceBody | None:
        """Return an object that was fetched ahead; those expected before it are dropped."""
        while self._begun:
            expected, fetching = self._begun.popleft()
            self._fetch_ahead()
            if expected == source:
                found = fetching.result()
                return None if found.body is None else found
        return None

    def _fetch_ahead(self) -> None:
        for source in islice(self._expected, _AHEAD - len(self._begun)):
            self._begun.append((source, self._threads.submit(self._fetch, source, _SMALL)))

    def _fetch(self, source: SourceObject, max_bytes: int) -> SourceBody:
        try:
            response = self._get(source)
        except ClientError as error:
            if error_code(error) not in _GONE or not source.version:
                raise
            response = self._get(source, VersionId=source.version)  # it was replaced or deleted, but kept
        size = response["ContentLength"]
        with closing(response["Body"]) as stream:  # as a context itself, it would check neither length nor checksum
            body = None if size > max_bytes else stream.read()
        digest = _digest(source.etag, response.get("ServerSideEncryption"), body)
        return SourceBody(size, body, digest, response["LastModified"])

    def _get(self, source: SourceObject, **version: Any) -> "GetObjectOutputTypeDef":  # noqa: ANN401
        return self._client.get_object(
            Bucket=source.bucket, Key=source.key, IfMatch=source.etag, **version, **self._expected_owner
        )


def _digest(etag: str, encryption: str | None, body: bytes | None) -> str:
    """Return the MD5 of a body, by its ETag unless it was uploaded in parts, or is encrypted with a key of KMS."""
    if body is None or (encryption in {None, "AES256"} and _MD5.fullmatch(etag)):
        return etag
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _domain_error(source: SourceObject, error: ClientError) -> Exception:
    place = f"s3://{source.bucket}/{source.key}"
    if error_code(error) in _GONE:
        return SourceGoneError(f"{place} was deleted or replaced before it was read; if it was lost, upload it again")
    if error_code(error) in _DENIED:
        return SourceUnreadableError(
            f"{place} may not be read ({error_code(error)}): allow this function s3:GetObject, of a versioned "
            "bucket s3:GetObjectVersion (and kms:Decrypt, or restore it from its archive, or correct the bucket's "
            "owner), then redrive the dead-letter queue"
        )
    return error
