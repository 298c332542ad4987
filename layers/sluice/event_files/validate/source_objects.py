"""Source objects: announced by EventBridge or S3 notifications, read as announced.

Keys in S3 notifications are form-encoded, keys in EventBridge events are not: decoding both would break ``a+b``.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import orjson

from sluice.event_files.ledger.model import SourceObject

_LONGEST_NAME = 1024  # bytes of UTF-8 that a key may have; buckets and ETags are far shorter


class SourceBody(NamedTuple):
    """Size of an object, its bytes, None where they are more than was asked for, and their MD5, or else its ETag."""

    size: int
    body: bytes | None
    digest: str


ReadSource = Callable[[SourceObject, int], SourceBody]
"""Returns an object's body up to a number of bytes; raises `SourceGoneError` and others."""


class UnknownAnnouncementError(Exception):
    """A message has neither form of announcement."""


class SourceGoneError(Exception):
    """The object was deleted or replaced before it was read."""


class SourceUnreadableError(Exception):
    """Access to the object is denied, or it is archived."""


def announced_objects(body: str) -> list[SourceObject]:
    """Return the objects that a message body announces; S3's test message announces none, nor does a deletion.

    Raises:
        UnknownAnnouncementError: The body has neither form.
    """
    try:
        message = orjson.loads(body)
        return list(_objects(message))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnknownAnnouncementError(
            f"this message announces no object in a form that is known ({type(error).__name__}: {error}): {body[:200]}"
        ) from error


def _objects(message: dict[str, Any]) -> Iterator[SourceObject]:
    if message.get("Event") == "s3:TestEvent" or message.get("detail-type") == "Object Deleted":
        return
    if "Records" in message:
        for record in message["Records"]:
            if record["eventName"].startswith("ObjectCreated:"):
                s3 = record["s3"]
                yield _source(s3["bucket"]["name"], unquote_plus(s3["object"]["key"]), s3["object"]["eTag"])
        return
    detail = message["detail"]
    yield _source(detail["bucket"]["name"], detail["object"]["key"], detail["object"]["etag"])


def _source(bucket: str, key: str, etag: str) -> SourceObject:
    return SourceObject(_name(bucket), _name(key), _name(etag.strip('"')))


def _name(text: object) -> str:
    """Return a usable name; any other would fail all announcements that are looked up in one request with it."""
    if not isinstance(text, str) or not 0 < len(text.encode()) <= _LONGEST_NAME:
        raise ValueError(f"a bucket, key or ETag has 1 to {_LONGEST_NAME} bytes of text")
    return text
