"""Source objects on S3, read one by one, small ones ahead."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sluice.aws.runtime import error_code
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.source_objects import SourceGoneError, SourceUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = frozenset({"NoSuchKey", "NoSuchBucket", "404", "412", "PreconditionFailed"})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "InvalidObjectState"})
_AHEAD = 16  # objects
_SMALL = 1 << 20  # bytes; larger ones would fill the memory, and their bytes take longer than the wait for the first

_Read = tuple[int, bytes | None]


class S3SourceStore:
    """Reads source objects, each exactly as it was announced."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(_AHEAD)
        self._expected: Iterator[SourceObject] = iter(())
        self._begun: deque[tuple[SourceObject, Future[_Read]]] = deque()

    def expect(self, sources: Iterable[SourceObject]) -> None:
        """Announce the objects that will be read, in that order; small ones are fetched ahead."""
        self._expected = iter(tuple(dict.fromkeys(sources)))
        self._begun.clear()
        self._fetch_ahead()

    def read(self, source: SourceObject, max_bytes: int) -> tuple[int, bytes | None]:
        """Return the object's size and body; None for a body larger than `max_bytes`.

        Raises:
            SourceGoneError: It was deleted, or replaced by other content that is announced by itself.
            SourceUnreadableError: Access to it is denied, or it is archived.
        """
        try:
            size, body = self._fetched(source) or self._fetch(source, max_bytes)
        except ClientError as error:
            raise _domain_error(source, error) from error
        return size, None if size > max_bytes else body

    def _fetched(self, source: SourceObject) -> _Read | None:
        """Return an object that was fetched ahead; those expected before it are dropped."""
        while self._begun:
            expected, fetching = self._begun.popleft()
            self._fetch_ahead()
            if expected == source:
                size, body = fetching.result()
                return None if body is None else (size, body)
        return None

    def _fetch_ahead(self) -> None:
        for source in islice(self._expected, _AHEAD - len(self._begun)):
            self._begun.append((source, self._threads.submit(self._fetch, source, _SMALL)))

    def _fetch(self, source: SourceObject, max_bytes: int) -> _Read:
        response = self._client.get_object(Bucket=source.bucket, Key=source.key, IfMatch=source.etag)
        size = response["ContentLength"]
        with closing(response["Body"]) as body:  # as a context itself, it would check neither length nor checksum
            return size, None if size > max_bytes else body.read()


def _domain_error(source: SourceObject, error: ClientError) -> Exception:
    place = f"s3://{source.bucket}/{source.key}"
    if error_code(error) in _GONE:
        return SourceGoneError(f"{place} was deleted or replaced before it was read; if it was lost, upload it again")
    if error_code(error) in _DENIED:
        return SourceUnreadableError(
            f"{place} may not be read ({error_code(error)}): allow this function s3:GetObject (and kms:Decrypt, "
            "or restore it from its archive), then redrive the dead-letter queue"
        )
    return error
