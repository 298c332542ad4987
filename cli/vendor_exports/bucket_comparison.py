"""Compare another bucket with the lake, day by day: its slots, and the files that the lake lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.platform.console import CliError
from cli.vendor_exports.missing_hours import FlowError, SlotPlan, compare, hourly_root, key_of, sort_in
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.slots import Slot, SlotError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SlotRoot:
    """A bucket and the prefix of the folders of all slots in it."""

    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        """The S3 URL."""
        return f"s3://{self.bucket}/{self.prefix}"

    def key(self, slot: Slot, name: str) -> str:
        """Return the key of a slot's file."""
        return key_of(self.prefix, slot, name)


def source_root(url: str, environment: Environment, lake: SlotRoot) -> SlotRoot:
    """Read the S3 URL of another bucket, which must hold the same flow.

    Raises:
        CliError: It is no S3 URL, is the lake itself, or holds another or an unknown flow.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise CliError(f"{url!r} is no S3 URL.", "Write s3://bucket, or s3://bucket/prefix/.")
    try:
        root = SlotRoot(found[1], hourly_root(found[2] or "", environment))
    except FlowError as error:
        raise CliError(
            f"Refused: {error}.", "Name the bucket alone: the prefix of the stage's flow is used."
        ) from error
    if root == lake:
        raise CliError(f"{root.url} is the stage's own lake.", "Name the bucket to copy from.")
    return root


def listing(s3: S3Client, bucket: str, prefix: str) -> Iterator[tuple[str, int, str]]:
    """Yield key, bytes and ETag of every object under a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            yield item["Key"], item["Size"], item["ETag"]


def folders(s3: S3Client, root: SlotRoot) -> tuple[list[str], int]:
    """Return the names of the folders directly below a root, and the number of objects beside them.

    Raises:
        CliError: There is no such bucket.
    """
    names: list[str] = []
    objects = 0
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=root.bucket, Prefix=root.prefix, Delimiter="/")
    try:
        for page in pages:
            names += [found["Prefix"][len(root.prefix) : -1] for found in page.get("CommonPrefixes", ())]
            objects += len(page.get("Contents", ()))
    except s3.exceptions.NoSuchBucket as error:
        raise CliError(f"There is no bucket {root.bucket}.", "Name the bucket to copy from.") from error
    return names, objects


_THREADS = 16

Advance = Callable[[int, int], None]
"""Takes the number of days compared, and of all days."""


@dataclass(frozen=True, slots=True)
class BucketComparison:
    """The plan of each slot, in order, and the number of objects that are no file of a slot."""

    plans: tuple[SlotPlan, ...]
    ignored: int


@dataclass(frozen=True, slots=True)
class BucketComparer:
    """Compares a bucket with the lake, from one slot to another, both included."""

    s3: S3Client
    source: SlotRoot
    lake: SlotRoot
    first: Slot | None
    last: Slot

    def find(self, advance: Advance = lambda *_: None) -> BucketComparison:
        """List both and compare; `advance` is called after each day."""
        names, beside = folders(self.s3, self.source)
        wanted = [name for name in names if self._is_wanted(name)]
        found = []
        with ThreadPoolExecutor(_THREADS) as pool:
            for day in pool.map(self._look, wanted):
                found.append(day)
                advance(len(found), len(wanted))
        plans = sorted((plan for day in found for plan in day.plans), key=lambda plan: plan.slot)
        return BucketComparison(tuple(plans), beside + sum(day.ignored for day in found))

    def _look(self, name: str) -> BucketComparison:
        prefix = f"{name}/"
        theirs, ignored = sort_in(self.source.prefix, self._list(self.source, prefix))
        slots = [slot for slot in theirs if self._is_in_range(slot)]
        ours = sort_in(self.lake.prefix, self._list(self.lake, prefix))[0] if slots else {}
        return BucketComparison(tuple(compare(slot, theirs[slot], ours.get(slot, {})) for slot in slots), ignored)

    def _list(self, root: SlotRoot, prefix: str) -> Iterator[tuple[str, int, str]]:
        return listing(self.s3, root.bucket, root.prefix + prefix)

    def _is_wanted(self, name: str) -> bool:
        """Return whether to list a folder: a day of the range, or no day, whose objects count as ignored."""
        try:
            day = Slot.parse(f"{name}-00")
        except SlotError:
            return True
        return day <= self.last and (self.first is None or day.after(23) >= self.first)

    def _is_in_range(self, slot: Slot) -> bool:
        return slot <= self.last and (self.first is None or slot >= self.first)
