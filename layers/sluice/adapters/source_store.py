"""The producers' buckets, read object by object."""

from contextlib import closing
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sluice.adapters.clients import error_code
from sluice.events.model import SourceObject
from sluice.events.ports import SourceGoneError, SourceUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = frozenset({"NoSuchKey", "NoSuchBucket", "404", "412", "PreconditionFailed"})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "InvalidObjectState"})


class S3SourceStore:
    """Reads source objects, each exactly as it was announced."""

    def __init__(self, client: "S3Client") -> None:
        """Bind the client."""
        self._client = client

    def read(self, source: SourceObject, max_bytes: int) -> tuple[int, bytes | None]:
        """Return the object's size and body; None for a body larger than `max_bytes`.

        Raises:
            SourceGoneError: It was deleted, or replaced by other content that is announced by itself.
            SourceUnreadableError: We may not read it.
        """
        try:
            response = self._client.get_object(Bucket=source.bucket, Key=source.key, IfMatch=source.etag)
        except ClientError as error:
            raise _domain_error(source, error) from error
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
