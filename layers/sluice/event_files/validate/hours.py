"""The hours that events of a file may have: near enough to the file's own time, and not too many.

Each hour of a table's rows becomes a file of Parquet, so hours are work, whoever makes them up.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import getitem, itemgetter
from typing import Any

from sluice.event_files.validate.budget import OverBudgetError
from sluice.event_files.validate.members import pointer
from sluice.event_files.validate.rules import RuleBreak

_HOUR = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}")

HOUR_LENGTH = len("2026-01-31T23")
"""Characters of a time up to its hour."""


@dataclass(frozen=True, slots=True)
class HourLimits:
    """Days that an event may lie before its file's own time and after it; the most hours that a file may have."""

    days_before: int
    days_after: int
    most: int


class FileHours(set[str]):
    """The hours (``YYYY-MM-DDTHH``, UTC) of a file's clean events; without limits any hour is one."""

    def __init__(self, limits: HourLimits | None = None, modified: datetime | None = None) -> None:
        """Limit the hours of a file that was `modified` then, in UTC."""
        super().__init__()
        self._limits = limits
        if limits and modified:
            self._file = _hour(modified)
            self._earliest = _hour(modified - timedelta(days=limits.days_before))
            self._latest = _hour(modified + timedelta(days=limits.days_after))
        else:
            self._earliest, self._latest = "", "9999"

    def too_far(self, hour: str, path: tuple[str, ...]) -> RuleBreak | None:
        """Return the rule that an hour breaks at its event's `path`; of what is no hour, the contract says so."""
        if self._earliest <= hour <= self._latest or not self._limits or not _HOUR.fullmatch(hour):
            return None
        early = hour < self._earliest
        days = self._limits.days_before if early else self._limits.days_after
        message = f"the time is more than {days:,} days {'before' if early else 'after'} its file's, {self._file} (UTC)"
        return RuleBreak("hours", pointer([*path]), message)

    def take(self, hour: str) -> None:
        """Add the hour of a clean event. Raises OverBudgetError."""
        self.add(hour)
        if self._limits and len(self) > self._limits.most:
            raise OverBudgetError(
                f"its events are of more than {self._limits.most:,} hours, and each is a file of its own in its table: "
                "nothing of it was taken in; split it by the times of its events and upload its parts"
            )


def _hour(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H}"


def time_reader(path: tuple[str, ...]) -> Callable[[dict[str, Any]], Any]:
    """Return the function that reads what is at the path of an event's time. It raises KeyError, TypeError."""
    return itemgetter(*path) if len(path) == 1 else lambda event: reduce(getitem, path, event)
