"""A bucket of exports and their histories."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.clients import error_code
from sluice.vendor_exports.completeness.ports import HistoryStoreError, Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, PutObjectRequestTypeDef

_THREADS = 16
_MISSING = frozenset({"NoSuchKey", "404"})
_CONFLICT = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409", *_MISSING})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden"})
_TOO = "and s3:ListBucket, without which S3 denies what is merely missing"
_CONTENT_TYPES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "json": "application/json"}


class S3HistoryStore:
    """Lists folders of exports; reads and writes histories."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Bind client and bucket."""
        self._client = client
        self._bucket = bucket

    def walk(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield key and bytes of the objects under a prefix, in order of keys, a page at a time."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with self._explained(prefix, "s3:ListBucket"):
            for page in pages:
                for item in page.get("Contents", ()):
                    yield item["Key"], item["Size"]

    def list_all(self, prefixes: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield key and bytes of every object under any of the prefixes."""
        with ThreadPoolExecutor(_THREADS) as threads:
            for found in threads.map(lambda prefix: tuple(self.walk(prefix)), prefixes):
                yield from found

    def read_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        """Return the bytes of many objects, in order; None for one that is missing or larger than `max_bytes`."""
        with ThreadPoolExecutor(_THREADS) as threads:
            return list(threads.map(lambda key: self._read_up_to(key, max_bytes), keys))

    def read(self, key: str) -> Stored | None:
        """Return an object; None when there is none."""
        with self._explained(key, "s3:GetObject"):
            response = self._get(key)
            if response is None:
                return None
            with closing(response["Body"]) as body:
                return Stored(body.read(), response["ETag"])

    def write(self, key: str, body: bytes) -> None:
        """Write an object whole, replacing what was there."""
        with self._explained(key, "s3:PutObject"):
            self._client.put_object(**self._request(key, body))

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        """Write an object if it is still the one with `etag` (None: if there is none); tell whether it was written."""
        request = self._request(key, body)
        if etag is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = etag
        with self._explained(key, "s3:PutObject"):
            try:
                self._client.put_object(**request)
            except ClientError as error:
                if error_code(error) in _CONFLICT:
                    return False
                raise
        return True

    def _read_up_to(self, key: str, max_bytes: int) -> bytes | None:
        with self._explained(key, "s3:GetObject"):
            response = self._get(key)
            if response is None:
                return None
            with closing(response["Body"]) as body:
                return None if response["ContentLength"] > max_bytes else body.read()

    def _get(self, key: str) -> "GetObjectOutputTypeDef | None":
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise

    def _request(self, key: str, body: bytes) -> "PutObjectRequestTypeDef":
        content_type = _CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
        return {"Bucket": self._bucket, "Key": key, "Body": body, "ContentType": content_type}

    @contextmanager
    def _explained(self, place: str, action: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            code = error_code(error) if isinstance(error, ClientError) else str(error)
            advice = f"allow this function {action} {_TOO}" if code in _DENIED else "it is safe to run this again"
            raise HistoryStoreError(f"s3://{self._bucket}/{place}: {action} failed ({code}); {advice}") from error
