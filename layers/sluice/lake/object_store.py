"""The lake bucket: chunks, run files, tables."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from sluice.aws.clients import error_code
from sluice.event_files.convert.model import Span
from sluice.event_files.convert.ports import MissingObjectError
from sluice.lake.keys import clean_key, dirty_key, unrelated_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_THREADS = 16
_DELETE_LIMIT = 1000  # keys per DeleteObjects


class S3Lake:
    """Reads and writes the lake bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Bind client and bucket."""
        self._client = client
        self._bucket = bucket

    def put_clean(self, chunk_id: str, body: bytes) -> None:
        """Write a chunk's rows."""
        self.write(clean_key(chunk_id), body)

    def put_dirty(self, chunk_id: str, body: bytes) -> None:
        """Write a chunk's dirty records."""
        self.write(dirty_key(chunk_id), body)

    def put_unrelated(self, chunk_id: str, body: bytes) -> None:
        """Write a chunk's unrelated records."""
        self.write(unrelated_key(chunk_id), body)

    def write(self, key: str, body: bytes | IO[bytes]) -> None:
        """Write an object whole; an older one under the key is replaced."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def write_all(self, bodies: Mapping[str, bytes]) -> None:
        """Write many objects, in any order; whatever fails, those under way are written."""
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(self.write, bodies, bodies.values()))

    def read(self, key: str) -> bytes:
        """Return an object's bytes; raise MissingObjectError when there is none."""
        return self._get(key)

    def exists(self, key: str) -> bool:
        """Tell whether there is an object under `key`."""
        try:
            self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in {"404", "NoSuchKey", "NotFound"}:
                return False
            raise
        return True

    def read_spans(self, spans: Sequence[Span]) -> bytes:
        """Return the bytes of all spans, joined in order; raise MissingObjectError when one is gone or cut short."""
        with ThreadPoolExecutor(_THREADS) as threads:
            return b"".join(threads.map(self._read_span, spans))

    def read_all(self, keys: Sequence[str]) -> list[bytes]:
        """Return the bytes of many objects, in order; raise MissingObjectError when one is gone."""
        with ThreadPoolExecutor(_THREADS) as threads:
            return list(threads.map(self._get, keys))

    def list(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Yield key and time of last change of every object under `prefix`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", ()):
                yield item["Key"], item["LastModified"]

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are gone already do not matter."""
        for start in range(0, len(keys), _DELETE_LIMIT):
            objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[start : start + _DELETE_LIMIT]]
            response = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            if response.get("Errors"):
                first = response["Errors"][0]
                raise OSError(f"s3://{self._bucket}/{first.get('Key')} was not deleted: {first.get('Message')}")

    def _read_span(self, span: Span) -> bytes:
        body = self._get(span.key, f"bytes={span.offset}-{span.offset + span.length - 1}")
        if len(body) != span.length:
            place = f"s3://{self._bucket}/{span.key}"
            raise MissingObjectError(f"{place} holds {len(body)} of the {span.length} bytes from {span.offset}")
        return body

    def _get(self, key: str, byte_range: str = "bytes=0-") -> bytes:
        try:
            response = self._client.get_object(Bucket=self._bucket, Key=key, Range=byte_range)
            with closing(response["Body"]) as body:  # as a context itself, it would not check its length
                return body.read()
        except ClientError as error:
            if error_code(error) in {"NoSuchKey", "404", "InvalidRange"}:
                raise MissingObjectError(f"s3://{self._bucket}/{key} does not exist, or not so far") from error
            raise
