"""Slots: the hour of an export, and the folder of its files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sluice.vendor_exports.client.api import Environment

MANIFEST = "_PresignedUrls.json"
"""Our manifest of the expected files, key and size of each, beside them in the folder."""

MASTER_SCHEMA = "_MasterTableSchema.json"
"""The vendor's list of the tables of an export."""

_HOUR = timedelta(hours=1)
_SETTLED = timedelta(minutes=30)  # an hour is observed when it is over by so much
_WRITTEN = "%Y%m%d-%H"
_KEY = re.compile(r"(\d{8})/(\d{2})/([^/]+)")


class SlotError(ValueError):
    """A text is not a slot."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """An hour, UTC; written ``YYYYMMDD-HH`` everywhere."""

    hour: datetime

    @classmethod
    def of(cls, moment: datetime) -> "Slot":
        """Return the slot of a moment, which has a time zone."""
        return cls(moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0))

    @classmethod
    def parse(cls, text: str) -> "Slot":
        """Read ``YYYYMMDD-HH``.

        Raises:
            SlotError: The text has another format or is not an hour of the calendar.
        """
        try:
            slot = cls(datetime.strptime(text, _WRITTEN).replace(tzinfo=UTC))
        except ValueError:
            slot = None
        if slot is None or str(slot) != text:
            raise SlotError(f"{text!r} is no slot; write day and hour in UTC as in 20260131-23")
        return slot

    def __str__(self) -> str:
        """Return the slot as histories and commands show it."""
        return self.hour.strftime(_WRITTEN)

    def folder(self, environment: Environment) -> str:
        """Return the prefix of the slot's files."""
        return f"{environment.hourly}{self.hour:%Y%m%d/%H}/"

    def after(self, hours: int = 1) -> "Slot":
        """Return the slot so many hours later."""
        return Slot(self.hour + hours * _HOUR)


def slots_between(first: Slot, last: Slot) -> Iterator[Slot]:
    """Yield every slot from `first` to `last`, both included."""
    for hours in range(int((last.hour - first.hour) / _HOUR) + 1):
        yield first.after(hours)


def newest_settled(now: datetime) -> Slot:
    """Return the last slot whose hour is over by 30 minutes or more."""
    return Slot.of(now - _HOUR - _SETTLED)


def place_of(key: str, root: str) -> tuple[Slot, str] | None:
    """Return slot and file name of an object's key; None where it is no file of a slot below this prefix."""
    found = _KEY.fullmatch(key, len(root))
    if found is None or not key.startswith(root):
        return None
    try:
        return Slot.parse(f"{found[1]}-{found[2]}"), found[3]
    except SlotError:
        return None


def table_of(name: str) -> str | None:
    """Return the table a file is a partition of; None for metadata, scripts and whatever follows no pattern."""
    table, underscore, _ = name.partition("_")
    return table if table and underscore else None
