"""Lag of the lake: the age of the oldest pending chunk, and of the newest hour each table has rows of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Lag:
    """Ages in seconds: of the oldest pending chunk (0: none waits), and by table of the end of its newest hour."""

    pending: float
    tables: Mapping[str, float]

    @property
    def newest_row(self) -> float | None:
        """Age of the newest hour of any table; None as long as no table has rows."""
        return min(self.tables.values(), default=None)


def lag(oldest_pending: datetime | None, newest_hours: Mapping[str, datetime], now: datetime) -> Lag:
    """Measure the lake at `now` (UTC). A table with rows of the hour that is going on has no age."""
    pending = _seconds(now - oldest_pending) if oldest_pending else 0.0
    return Lag(pending, {table: _seconds(now - hour - _HOUR) for table, hour in sorted(newest_hours.items())})


def _seconds(age: timedelta) -> float:
    return max(0.0, age.total_seconds())
