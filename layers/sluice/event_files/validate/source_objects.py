"""Source objects, read as announced."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sluice.event_files.ledger.model import SourceObject


class SourceBody(NamedTuple):
    """Size of an object, its bytes, None where they are more than was asked for, and their MD5, or else its ETag.

    `modified` is when it was uploaded, UTC.
    """

    size: int
    body: bytes | None
    digest: str
    modified: datetime


ReadSource = Callable[[SourceObject, int], SourceBody]
"""Returns an object's body up to a number of bytes; raises `SourceGoneError` and others."""


class SourceGoneError(Exception):
    """The object was deleted or replaced before it was read."""


class SourceUnreadableError(Exception):
    """Access to the object is denied, or it is archived."""
