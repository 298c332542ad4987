"""Find what another bucket has and the lake lacks, day by day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.vendor_exports.backfill.missing_hours import SlotPlan, compare, sort_in
from cli.vendor_exports.backfill.places import Place, folders, listing
from sluice.vendor_exports.delivery.slots import Slot, SlotError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THREADS = 16

Advance = Callable[[int, int], None]
"""Takes how many days are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be done about each slot, in order, and how many objects are no file of a slot."""

    plans: tuple[SlotPlan, ...]
    ignored: int


@dataclass(frozen=True, slots=True)
class Finder:
    """Compares a bucket with the lake, from one slot to another, both included."""

    s3: S3Client
    source: Place
    lake: Place
    first: Slot | None
    last: Slot

    def find(self, advance: Advance = lambda *_: None) -> Finding:
        """List both, and compare."""
        names, beside = folders(self.s3, self.source)
        wanted = [name for name in names if self._is_wanted(name)]
        found = []
        with ThreadPoolExecutor(_THREADS) as pool:
            for day in pool.map(self._look, wanted):
                found.append(day)
                advance(len(found), len(wanted))
        plans = sorted((plan for day in found for plan in day.plans), key=lambda plan: plan.slot)
        return Finding(tuple(plans), beside + sum(day.ignored for day in found))

    def _look(self, name: str) -> Finding:
        prefix = f"{name}/"
        theirs, ignored = sort_in(self.source.root, self._list(self.source, prefix))
        slots = [slot for slot in theirs if self._is_in_range(slot)]
        ours = sort_in(self.lake.root, self._list(self.lake, prefix))[0] if slots else {}
        return Finding(tuple(compare(slot, theirs[slot], ours.get(slot, {})) for slot in slots), ignored)

    def _list(self, place: Place, prefix: str) -> Iterator[tuple[str, int, str]]:
        return listing(self.s3, place.bucket, place.root + prefix)

    def _is_wanted(self, name: str) -> bool:
        """Whether a folder is a day of the range, or no day at all: its objects are counted."""
        try:
            day = Slot.parse(f"{name}-00")
        except SlotError:
            return True
        return day <= self.last and (self.first is None or day.after(23) >= self.first)

    def _is_in_range(self, slot: Slot) -> bool:
        return slot <= self.last and (self.first is None or slot >= self.first)
