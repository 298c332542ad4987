"""Lag of the lake: the age of the oldest pending chunk, and of the newest hour each table has rows of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

_HOUR = timedelta(hours=1)


class Freshness(Protocol):
    """Times of pending chunks and of the newest rows."""

    def oldest_pending(self) -> datetime | None:
        """Return when the oldest chunk that waits for its conversion was committed; None when none waits."""

    def newest_hours(self) -> Mapping[str, datetime]:
        """Return the begin of the newest hour with rows (UTC) of each table that ever had one."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Ages in seconds: of the oldest pending chunk (0: none waits), and by table of the end of its newest hour."""

    pending: float
    tables: Mapping[str, float]

    @property
    def newest_row(self) -> float | None:
        """Age of the newest hour of any table; None as long as no table has rows."""
        return min(self.tables.values(), default=None)


def lag(freshness: Freshness, now: datetime) -> Lag:
    """Measure the lake at `now` (UTC). A table with rows of the hour that is going on has no age."""
    oldest = freshness.oldest_pending()
    pending = _seconds(now - oldest) if oldest else 0.0
    hours = sorted(freshness.newest_hours().items())
    return Lag(pending, {table: _seconds(now - hour - _HOUR) for table, hour in hours})


def _seconds(age: timedelta) -> float:
    return max(0.0, age.total_seconds())
