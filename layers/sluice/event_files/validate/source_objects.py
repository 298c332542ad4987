"""Source objects: announced by EventBridge or S3 notifications, read as announced, decompressed where they are gzip.

Keys in S3 notifications are form-encoded, keys in EventBridge events are not: decoding both would break ``a+b``.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import orjson

from sluice.event_files.ledger.model import SourceObject

_LONGEST_NAME = 1024  # bytes of UTF-8 that a key may have; buckets and ETags are far shorter
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's code for: expect a gzip header
_STEP = 16 << 10  # bytes decompressed at a time; 1000 times as many may come out


ReadSource = Callable[[SourceObject, int], tuple[int, bytes | None]]
"""Returns an object's size and body, None for a body larger than a limit; raises `SourceGoneError` and others."""


class UnknownAnnouncementError(Exception):
    """A message has neither form of announcement."""


class SourceGoneError(Exception):
    """The object was deleted or replaced before it was read."""


class SourceUnreadableError(Exception):
    """Access to the object is denied, or it is archived."""


class ContentTooLargeError(Exception):
    """The content is larger than a file may be, or than one commit takes."""


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


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes of a file; `truncated` when the gzip stream ended early or was damaged, `data` is what came before."""

    data: bytes | bytearray
    truncated: bool = False


def content_of(body: bytes, max_bytes: int) -> Content:
    """Return the content of an object's body, whatever its name says.

    Raises:
        ContentTooLargeError: The content is larger than `max_bytes`; no more than that was decompressed.
    """
    if not body.startswith(_GZIP_MAGIC):
        if len(body) > max_bytes:
            raise ContentTooLargeError
        return Content(body)
    data = bytearray()
    truncated = not _decompress(body, data, max_bytes)
    return Content(data, truncated)


def _decompress(body: bytes, data: bytearray, max_bytes: int) -> bool:
    """Append the content of all gzip members of `body`; return whether the last one was whole."""
    position = 0
    while body.startswith(_GZIP_MAGIC, position):
        stream = zlib.decompressobj(_GZIP_WINDOW)
        while position < len(body) and not stream.eof:
            part, before = body[position : position + _STEP], stream.copy()
            try:
                data += stream.decompress(part)
            except zlib.error:
                data += b"".join(_before_damage(before.decompress, part))
                position = len(body)  # what is behind damage cannot be read
            else:
                position += len(part) - len(stream.unused_data)
            if len(data) > max_bytes:
                raise ContentTooLargeError
        if not stream.eof:
            return False
    return not body[position:].strip(b"\0")  # some writers pad the end with zeros


def _before_damage(decompress: Callable[[bytes], bytes], part: bytes) -> Iterator[bytes]:
    """Yield the content before the damage in `part`, byte by byte: done in one step, damage loses all of it."""
    with suppress(zlib.error):
        for byte in part:
            yield decompress(bytes((byte,)))
