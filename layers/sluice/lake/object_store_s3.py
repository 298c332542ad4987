"""A bucket on S3."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import chain
from typing import IO, TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.runtime import error_code, is_met
from sluice.lake.object_store import (
    ByteRange,
    ListedObject,
    MissingObjectError,
    ObjectStoreError,
    StoredObject,
    UnreadableObjectError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
        ObjectIdentifierTypeDef,
        PutObjectRequestTypeDef,
    )

T = TypeVar("T")
R = TypeVar("R")

_THREADS = 16
_DELETE_LIMIT = 1000  # keys per DeleteObjects
_MISSING = frozenset({"NoSuchKey", "NotFound", "404"})
_REPLACED = frozenset({"PreconditionFailed", "412"})
_CONFLICT = frozenset({*_REPLACED, "ConditionalRequestConflict", "409", *_MISSING})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden"})
_ARCHIVED = "InvalidObjectState"
_KEY_IS_OFF = re.compile(r"KMS\.(?!Throttling)")  # disabled, deleted or not to be used: KMS.DisabledException, …
_ALSO_LIST = "and s3:ListBucket, without which S3 denies what is merely missing"
_CONTENT_TYPES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "json": "application/json"}


class S3ObjectStore:
    """Reads, writes and lists the objects of one bucket; S3's errors become ObjectStoreError."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str) -> bytes:
        """Return an object's bytes. Raises MissingObjectError."""
        with self._opened(key) as response:
            return response["Body"].read()

    def read_all(self, keys: Sequence[str]) -> list[bytes]:
        """Return the bytes of many objects, in order. Raises MissingObjectError."""
        return _each(self.read, keys)

    def read_ranges(self, ranges: Sequence[ByteRange]) -> bytes:
        """Return the bytes of all ranges, joined in order.

        Raises MissingObjectError when one is gone, cut short or replaced.
        """
        return b"".join(_each(self._read_range, ranges))

    def find(self, key: str) -> StoredObject | None:
        """Return an object; None when there is none."""
        with suppress(MissingObjectError), self._opened(key) as response:
            return StoredObject(response["Body"].read(), response["ETag"])
        return None

    def find_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        """Return the bytes of many objects, in order; None for one that is missing or larger than `max_bytes`."""
        return _each(lambda key: self._find_up_to(key, max_bytes), keys)

    def exists(self, key: str) -> bool:
        """Return whether there is an object."""
        with self._explained(key, "s3:GetObject"):
            return is_met(lambda: self._client.head_object(Bucket=self._bucket, Key=key), _MISSING)

    def write(self, key: str, body: bytes | IO[bytes]) -> str:
        """Write an object whole, replacing an older one; return its ETag."""
        return self._put(self._request(key, body))

    def create(self, key: str, body: bytes) -> str:
        """Write an object whole that is not there yet; return its ETag."""
        return self._put({**self._request(key, body), "IfNoneMatch": "*"})

    def write_all(self, bodies: Mapping[str, bytes]) -> None:
        """Write many objects, in any order; when one fails, those under way are still written."""
        _each(lambda item: self.write(*item), bodies.items())

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        """Write an object if it still has `etag` (None: if there is none); return whether it was written."""
        request = self._request(key, body)
        if etag is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = etag
        with self._explained(key, "s3:PutObject"):
            return is_met(lambda: self._client.put_object(**request), _CONFLICT)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; missing ones do not matter."""
        for start in range(0, len(keys), _DELETE_LIMIT):
            objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[start : start + _DELETE_LIMIT]]
            with self._explained(keys[start], "s3:DeleteObject"):
                response = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            for error in response.get("Errors", ()):
                raise ObjectStoreError(
                    f"s3://{self._bucket}/{error.get('Key')}: s3:DeleteObject failed ({error.get('Message')}); "
                    "it is safe to run this again"
                )

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Yield the objects under a prefix in order of keys, a page at a time."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with self._explained(prefix, "s3:ListBucket"):
            for page in pages:
                for item in page.get("Contents", ()):
                    yield ListedObject(item["Key"], item["Size"], item["LastModified"])

    def list_all(self, prefixes: Iterable[str]) -> Iterator[ListedObject]:
        """Yield the objects under any of the prefixes, prefix by prefix."""
        return chain.from_iterable(_each(lambda prefix: tuple(self.list(prefix)), prefixes))

    def _read_range(self, part: ByteRange) -> bytes:
        last = part.offset + part.length - 1
        with self._opened(part.key, f"bytes={part.offset}-{last}", part.etag) as response:
            found = response["Body"].read()
        if len(found) != part.length:
            place = f"s3://{self._bucket}/{part.key}"
            raise MissingObjectError(f"{place} holds {len(found)} of the {part.length} bytes from {part.offset}")
        return found

    def _find_up_to(self, key: str, max_bytes: int) -> bytes | None:
        with suppress(MissingObjectError), self._opened(key) as response:
            return None if response["ContentLength"] > max_bytes else response["Body"].read()
        return None

    def _put(self, request: "PutObjectRequestTypeDef") -> str:
        with self._explained(request["Key"], "s3:PutObject"):
            return self._client.put_object(**request)["ETag"].strip('"')

    @contextmanager
    def _opened(self, key: str, byte_range: str = "", etag: str = "") -> "Iterator[GetObjectOutputTypeDef]":
        """Open an object, or bytes of it, or of the one with this ETag only. Raises MissingObjectError."""
        request: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key}
        if byte_range:
            request["Range"] = byte_range
        if etag:
            request["IfMatch"] = etag
        with self._explained(key, "s3:GetObject"):
            try:
                response = self._client.get_object(**request)
            except ClientError as error:
                place = f"s3://{self._bucket}/{key}"
                if error_code(error) in _REPLACED:
                    raise MissingObjectError(f"{place} was replaced after it was written, by other bytes") from error
                if error_code(error) in {*_MISSING, "InvalidRange"}:
                    raise MissingObjectError(f"{place} does not exist, or not so far") from error
                raise
            with closing(response["Body"]):  # as a context itself, it would not check its length
                yield response

    def _request(self, key: str, body: bytes | IO[bytes]) -> "PutObjectRequestTypeDef":
        content_type = _CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        return {"Bucket": self._bucket, "Key": key, "Body": body, "ContentType": content_type}

    @contextmanager
    def _explained(self, place: str, action: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            code = error_code(error) if isinstance(error, ClientError) else str(error)
            refused = f"s3://{self._bucket}/{place}: {action} failed ({code})"
            remedy = _remedy(code, action)
            if remedy and action == "s3:GetObject":
                raise UnreadableObjectError(f"{refused}; {remedy}") from error
            raise ObjectStoreError(f"{refused}; {remedy or 'it is safe to run this again'}") from error


def _remedy(code: str, action: str) -> str:
    """Return what lets a refused request through; "" where it may get through by itself."""
    if code in _DENIED:
        return f"allow this role {action} {_ALSO_LIST}, and kms:Decrypt where the key is a customer's"
    if code == _ARCHIVED:
        return "restore the object from the archive"
    return "enable the KMS key of the object again" if _KEY_IS_OFF.match(code) else ""


def _each(call: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the results of the calls for all items, in order; they are made side by side."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(call, items))
