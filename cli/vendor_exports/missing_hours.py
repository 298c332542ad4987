"""Compare another bucket with the lake, hour by hour: the files of the same flow that the lake lacks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cli.platform.console import CliError, progress
from sluice.aws.runtime import error_code
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.manifest import safe_name
from sluice.vendor_exports.delivery.model import MANIFEST, Slot, SlotError, place_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)
_THREADS = 16
_BLOCK_BYTES = 1024 * 1024
_UNREADABLE = frozenset({"404", "NoSuchKey", "NotFound", "InvalidObjectState"})


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
        return f"{self.prefix}{slot.hour:%Y%m%d/%H}/{name}"


class State(StrEnum):
    """State of a slot's folder in the lake, compared with the other bucket's."""

    MISSING = "missing"
    PARTIAL = "partial"
    DIFFERING = "differing"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a slot, as listed."""

    name: str
    size: int
    etag: str


Folder = Mapping[str, File]


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """Files of a slot to copy, none where the folders differ.

    `present` names the files in the lake's folder, `differing` those whose content is another in the other bucket,
    `only_here` those that it lacks, and `left` the files of the other bucket that are not copied for that.
    """

    slot: Slot
    state: State
    files: tuple[File, ...]
    present: frozenset[str]
    differing: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes to copy."""
        return sum(file.size for file in self.files)


def source_root(url: str, environment: Environment, lake: SlotRoot) -> SlotRoot:
    """Read the S3 URL of another bucket, which must hold the same flow.

    Raises:
        CliError: It is no S3 URL, is the lake itself, or holds another or an unknown flow.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise CliError(f"{url!r} is no S3 URL.", "Write s3://bucket, or s3://bucket/prefix/.")
    root = SlotRoot(found[1], hourly_root(found[2] or "", environment))
    if root == lake:
        raise CliError(f"{root.url} is the stage's own lake.", "Name the bucket to copy from.")
    return root


def hourly_root(prefix: str, environment: Environment) -> str:
    """Return the prefix of the folders of all slots that a text names; the lake's own when it is empty.

    Raises:
        CliError: The prefix holds the other flow, or an unknown one.
    """
    if not prefix:
        return environment.hourly
    root = prefix if prefix.endswith("/") else f"{prefix}/"
    flow = next((flow for flow in Environment if root in _roots(flow)), None)
    if flow is environment:
        return root
    if flow is None:
        known = " and ".join(_roots(environment))
        reason = f"{prefix!r} is no prefix of a known flow; those of {environment} are {known}"
    else:
        reason = f"{prefix!r} holds the {flow} flow, and this stage's is {environment}; they are never mixed"
    raise CliError(f"Refused: {reason}.", "Name the bucket alone: the prefix of the stage's flow is used.")


def _roots(environment: Environment) -> tuple[str, str]:
    """Return the prefixes that slots of a flow have in our bucket and had in the one before it."""
    return environment.hourly, environment.hourly.replace("IMOSDL", "IMOS")


def compare_buckets(
    s3: S3Client, source: SlotRoot, lake: SlotRoot, first: Slot | None, last: Slot
) -> tuple[list[SlotPlan], int]:
    """Compare the slots from `first`, or from the beginning, to `last`, day by day.

    Returns:
        The plan of each slot, in order, and the number of objects in the source that are no file of a slot.

    Raises:
        CliError: There is no such bucket.
    """

    def compare_day(name: str) -> tuple[list[SlotPlan], int]:
        theirs, ignored = list_slots(s3, source, f"{name}/")
        slots = [slot for slot in theirs if slot <= last and (first is None or slot >= first)]
        ours = list_slots(s3, lake, f"{name}/")[0] if slots else {}
        return [compare(slot, theirs[slot], ours.get(slot, {}), is_same) for slot in slots], ignored

    def is_same(slot: Slot, theirs: File, ours: File) -> bool:
        places = [{"Bucket": root.bucket, "Key": root.key(slot, theirs.name)} for root in (source, lake)]
        return theirs.etag == ours.etag or same_content(s3, *places)

    names, ignored = _folders(s3, source)
    wanted = [name for name in names if _may_hold(name, first, last)]
    plans: list[SlotPlan] = []
    with ThreadPoolExecutor(_THREADS) as pool, progress() as shown:
        days = pool.map(compare_day, wanted)
        for of_day, ignored_of_day in shown.track(days, total=len(wanted), description="Compared days"):
            plans += of_day
            ignored += ignored_of_day
    return sorted(plans, key=lambda plan: plan.slot), ignored


def _folders(s3: S3Client, root: SlotRoot) -> tuple[list[str], int]:
    """Return the names of the folders directly below a root, and the number of objects beside them."""
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


def _may_hold(name: str, first: Slot | None, last: Slot) -> bool:
    """Return whether to list a folder: a day of the range, or no day, whose objects count as ignored."""
    try:
        day = Slot.parse(f"{name}-00")
    except SlotError:
        return True
    return day <= last and (first is None or day.after(23) >= first)


def list_slots(s3: S3Client, root: SlotRoot, folder: str) -> tuple[dict[Slot, dict[str, File]], int]:
    """List the objects in a folder below a root, and sort them as `sort_in` does."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=root.bucket, Prefix=root.prefix + folder)
    found = ((item["Key"], item["Size"], item["ETag"]) for page in pages for item in page.get("Contents", ()))
    return sort_in(root.prefix, found)


def sort_in(root: str, listing: Iterable[tuple[str, int, str]]) -> tuple[dict[Slot, dict[str, File]], int]:
    """Sort keys, which are untrusted, bytes and ETags into folders of slots; count what is no file of a slot."""
    folders: dict[Slot, dict[str, File]] = {}
    ignored = 0
    for key, size, etag in listing:
        slot, name = place_of(key, root) or (None, "")
        if slot is not None and (name == MANIFEST or safe_name(name) == name):
            folders.setdefault(slot, {})[name] = File(name, size, etag)
        else:
            ignored += 1
    return folders, ignored


def compare(slot: Slot, theirs: Folder, ours: Folder, is_same: Callable[[Slot, File, File], bool]) -> SlotPlan:
    """Plan the copy of a slot that the other bucket holds files of; `is_same` compares files of one size."""
    lacking = tuple(theirs[name] for name in sorted(theirs.keys() - ours.keys()))
    # A copy writes the manifest last. If files are missing beside it, another job may have promised other files.
    compared = {name for name in ours if name != MANIFEST or lacking}
    only_here = tuple(sorted(compared - theirs.keys()))
    pairs = [(theirs[name], ours[name]) for name in sorted(compared & theirs.keys())]
    differing = tuple(
        one.name
        for one, other in pairs
        if one.name == MANIFEST or one.size != other.size or not is_same(slot, one, other)
    )
    if differing or only_here:
        left = tuple(file.name for file in lacking)
        return SlotPlan(slot, State.DIFFERING, (), frozenset(ours), differing, only_here, left)
    state = State.MISSING if not ours else State.PARTIAL if lacking else State.SAME
    return SlotPlan(slot, state, lacking, frozenset(ours))


def same_content(s3: S3Client, one: Any, other: Any) -> bool:  # noqa: ANN401 - operations spell the type differently
    """Return whether two objects, by bucket and key, hold the same bytes; not if one is gone or archived.

    S3's checksums of whole objects decide, and where both have none of one algorithm, the bytes. ETags that differ say
    nothing: an upload in parts or another encryption has another ETag.
    """
    try:
        checksums, others = _checksums(s3, one), _checksums(s3, other)
        if common := checksums.keys() & others.keys():
            return all(checksums[name] == others[name] for name in common)
        return _digest(s3, one) == _digest(s3, other)
    except ClientError as error:
        if error_code(error) in _UNREADABLE:
            return False
        raise


def _checksums(s3: S3Client, place: Any) -> dict[str, str]:  # noqa: ANN401
    """Return an object's checksums by algorithm; those of its parts, which are joined by a hyphen, are none of it."""
    head = s3.head_object(**place, ChecksumMode="ENABLED")
    found = {name: str(value) for name, value in head.items() if name.startswith("Checksum") and name != "ChecksumType"}
    return {name: value for name, value in found.items() if "-" not in value}


def _digest(s3: S3Client, place: Any) -> bytes:  # noqa: ANN401
    digest = hashlib.sha256()
    for block in s3.get_object(**place)["Body"].iter_chunks(_BLOCK_BYTES):
        digest.update(block)
    return digest.digest()
