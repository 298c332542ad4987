"""What a digest is made from, and where it goes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sluice.lake.object_store import StoredObject
from sluice.runs.model import RunRecord


class Records(Protocol):
    """The records of runs."""

    def between(self, start: datetime, end: datetime) -> Sequence[RunRecord]:
        """Return the runs that started from `start` on and before `end`, UTC."""


class Histories(Protocol):
    """The objects histories are kept in."""

    def find(self, key: str) -> StoredObject | None:
        """Return an object; None when there is none."""


class NewestHours(Protocol):
    """What is known of how new the tables' rows are."""

    def newest_hours(self) -> Mapping[str, datetime]:
        """Return the begin of the newest hour with rows (UTC) of each table that ever had one."""


class Pages(Protocol):
    """Where pages are kept."""

    def write(self, key: str, body: bytes) -> None:
        """Write a page whole, replacing what was there."""


class Messages(Protocol):
    """Whoever is told."""

    def send(self, subject: str, body: str) -> None:
        """Send a message."""
