"""Where slots lie: a bucket and the prefix of all its hours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.platform.errors import CliError
from cli.vendor_exports.backfill.missing_hours import FlowError, hourly_root, key_of
from sluice.vendor_exports.delivery.slots import Environment, Slot

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and the prefix of the folders of all slots in it."""

    bucket: str
    root: str

    @property
    def url(self) -> str:
        """The place as people write it."""
        return f"s3://{self.bucket}/{self.root}"

    def key(self, slot: Slot, name: str) -> str:
        """The key of a slot's file."""
        return key_of(self.root, slot, name)


def source_place(url: str, environment: Environment, lake: Place) -> Place:
    """Read the place of another bucket, which must hold the same flow.

    Raises:
        CliError: It is no S3 URL, is the lake itself, or holds another flow or nobody knows which.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise CliError(f"{url!r} is no place in S3.", "Write s3://bucket, or s3://bucket/prefix/.")
    try:
        place = Place(found[1], hourly_root(found[2] or "", environment))
    except FlowError as error:
        raise CliError(
            f"Refused: {error}.", "Name the bucket alone: the prefix of the stage's flow is used."
        ) from error
    if place == lake:
        raise CliError(f"{place.url} is the stage's own lake.", "Name the bucket to copy from.")
    return place


def listing(s3: S3Client, bucket: str, prefix: str) -> Iterator[tuple[str, int, str]]:
    """Yield key, bytes and ETag of every object under a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            yield item["Key"], item["Size"], item["ETag"]


def folders(s3: S3Client, place: Place) -> tuple[list[str], int]:
    """The names of the folders directly below a place's root, and how many objects lie beside them.

    Raises:
        CliError: There is no such bucket.
    """
    names: list[str] = []
    objects = 0
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.root, Delimiter="/")
    try:
        for page in pages:
            names += [found["Prefix"][len(place.root) : -1] for found in page.get("CommonPrefixes", ())]
            objects += len(page.get("Contents", ()))
    except s3.exceptions.NoSuchBucket as error:
        raise CliError(f"There is no bucket {place.bucket}.", "Name the bucket to copy from.") from error
    return names, objects
