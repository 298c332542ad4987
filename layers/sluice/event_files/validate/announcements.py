"""Read what S3 says of objects of a bucket, in a message of its own or by way of EventBridge.

Keys in S3's own notifications are form-encoded, keys in EventBridge events are not: decoding both would break ``a+b``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import orjson

from sluice.event_files.ledger.model import SourceObject

_LONGEST_KEY = 1024  # bytes of UTF-8 that S3 allows, in ids of versions, too
_LONGEST_NAME = 255  # bytes of buckets (of old ones in us-east-1), ETags and sequencers
_REMOVALS = ("ObjectRemoved:", "LifecycleExpiration:")


class UnknownAnnouncementError(Exception):
    """A message has neither form of announcement."""


@dataclass(frozen=True, slots=True)
class Change:
    """An object came or went.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        etag: ETag of an object that came, "" of one that went.
        version: Version of an object that came, "" in a bucket that has none, and of one that went.
        sequencer: Of two changes of a key, the one with the greater text came later; "" where S3 gives none.
        gone: The object went, or one of its versions: an old one that is deleted leaves the object as it is.
        marked: It went behind a delete marker: no version was deleted.
    """

    bucket: str
    key: str
    etag: str
    version: str
    sequencer: str
    gone: bool
    marked: bool


def changes(body: str) -> list[Change]:
    """Return the changes that a message body announces, in its order; S3's test message announces none.

    Raises:
        UnknownAnnouncementError: The body has neither form.
    """
    try:
        message = orjson.loads(body)
        if message.get("Event") == "s3:TestEvent":
            return []
        return list(_notified(message["Records"])) if "Records" in message else [_on_bus(message)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnknownAnnouncementError(
            f"this message announces no object in a form that is known ({type(error).__name__}: {error}): {body[:200]}"
        ) from error


def announced_objects(body: str) -> list[SourceObject]:
    """Return the objects that came, of those that a message body announces.

    Raises:
        UnknownAnnouncementError: The body has neither form.
    """
    came = (change for change in changes(body) if not change.gone)
    return [SourceObject(change.bucket, change.key, change.etag, change.version) for change in came]


def _notified(records: list[dict[str, Any]]) -> Iterator[Change]:
    """Yield the changes of S3's own form; other events of objects (a tag, a restored copy) change none."""
    for record in records:
        event, bucket, told = record["eventName"], record["s3"]["bucket"]["name"], record["s3"]["object"]
        gone = event.startswith(_REMOVALS)
        if gone or event.startswith("ObjectCreated:"):
            key, etag = unquote_plus(told["key"]), told.get("eTag")
            yield _change(bucket, key, etag, told, gone, event.endswith("MarkerCreated"))


def _on_bus(message: dict[str, Any]) -> Change:
    detail = message["detail"]
    told, gone = detail["object"], message.get("detail-type") == "Object Deleted"
    marked = detail.get("deletion-type") == "Delete Marker Created"
    return _change(detail["bucket"]["name"], told["key"], told.get("etag"), told, gone, marked)


def _change(bucket: object, key: object, etag: object, told: dict[str, Any], gone: bool, marked: bool) -> Change:
    version = told.get("versionId") or told.get("version-id")
    return Change(
        bucket=_name(bucket),
        key=_name(key, _LONGEST_KEY),
        version=_name(version, _LONGEST_KEY) if version and not gone else "",
        etag="" if gone else _name(_name(etag).strip('"')),
        # Hexadecimal, of any length: AWS compares them with zeros added on the right.
        sequencer=_name(told.get("sequencer") or "0").upper().rstrip("0"),
        gone=gone,
        marked=gone and marked,
    )


def _name(text: object, longest: int = _LONGEST_NAME) -> str:
    """Return a usable name; any other would fail all announcements that are looked up in one request with it."""
    if not isinstance(text, str) or not 0 < len(text.encode()) <= longest:
        raise ValueError(f"a key has 1 to {_LONGEST_KEY} bytes of text, a bucket, ETag or sequencer {_LONGEST_NAME}")
    return text
