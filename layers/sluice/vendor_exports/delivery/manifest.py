"""From the vendor's list of files to the manifest and the batches of a round; every entry of the list is untrusted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from sluice.lake.batching import cut
from sluice.vendor_exports.client.api import ListedFile, Vendor
from sluice.vendor_exports.delivery.delivery_check import DeliveryReader
from sluice.vendor_exports.delivery.model import MANIFEST, CopyBatch, ExpectedFile, Export, Manifest
from sluice.vendor_exports.delivery.slot_records import SlotRecords

_LONGEST_NAME = 255  # bytes; with the folder still far below what S3 takes
_LONGEST_KEY = 1024  # characters; no key of S3 is longer
_SHOWN = 80
_NAMELESS = {"", ".", ".."}
_LIFETIME_MINUTES = 5  # the URLs of this list are not used: copying asks for its own


class Listed(StrEnum):
    """Next step of the machine after a list."""

    FILES = "files"
    NOTHING = "nothing"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Listing:
    """A round of copying: its number from 1, and the key of its plan, a document with ``batches``."""

    next_step: Listed
    round: int
    plan_key: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most bytes of a file, most files and bytes of a batch, and rounds until missing files are given up."""

    max_file_bytes: int
    batch_files: int
    batch_bytes: int
    rounds: int


@dataclass(frozen=True, slots=True)
class FileLister:
    """Asks the vendor for lists, keeps the manifest, and plans the rounds of copying."""

    deliveries: DeliveryReader
    slots: SlotRecords
    limits: Limits

    def list_files(self, export: Export, vendor: Vendor, rounds: int) -> Listing:
        """Ask for the job's files, after so many rounds; plan to copy all of them, or later those that are missing.

        Raises:
            VendorError: The vendor gives no list.
        """
        manifest = self._manifest(export, vendor, rounds)
        self.deliveries.files.write(export.manifest_key, orjson.dumps(manifest))
        has_entries = bool(manifest.files or manifest.unusable)
        if has_entries:
            self.deliveries.files.write(
                f"{export.folder}{MANIFEST}",
                orjson.dumps([{"key": file.key, "size": file.size} for file in manifest.files]),
            )
        number, plan_key = rounds + 1, self._write_plan(export, manifest, rounds)
        if has_entries:
            return Listing(Listed.FILES, number, plan_key)
        if number < self.limits.rounds:
            return Listing(Listed.NOTHING, number, plan_key)
        return Listing(Listed.OVER, number, plan_key, f"the vendor listed no files, {number} times")

    def _manifest(self, export: Export, vendor: Vendor, rounds: int) -> Manifest:
        """Return the manifest of the present list; files of earlier lists stay expected."""
        job = self.slots.get(export.environment, export.slot).job
        guid = job.guid if job else ""
        listed = vendor.files(export.environment, guid, _LIFETIME_MINUTES)
        manifest = manifest_of(guid, listed, self.limits.max_file_bytes)
        return self.deliveries.manifest(export).extended(manifest) if rounds else manifest

    def _write_plan(self, export: Export, manifest: Manifest, rounds: int) -> str:
        wanted = self.deliveries.state(export, rounds).missing if rounds else manifest.files
        plan = batches(manifest.job_guid, wanted, rounds + 1, self.limits)
        key = export.plan_key(rounds + 1)
        self.deliveries.files.write(key, orjson.dumps({"batches": plan}))
        return key


def safe_name(key: str) -> str | None:
    """Return the name of a file in its folder: the last part of its key; None if that is not usable as a name.

    The vendor's own file of the name of our manifest gets another underscore in front.
    """
    name = key.replace("\\", "/").rpartition("/")[2]
    if name in _NAMELESS or not name.isprintable():
        return None
    if len(key) > _LONGEST_KEY or len(name.encode()) > _LONGEST_NAME:
        return None
    return f"_{name}" if name == MANIFEST else name


def manifest_of(job_guid: str, listed: Iterable[ListedFile], max_bytes: int) -> Manifest:
    """Read the list: entries that are listed twice are one, and entries that cannot be copied say why."""
    files: dict[str, ExpectedFile] = {}
    unusable: dict[str, str] = {}
    for number, entry in enumerate(listed):
        name, problem = _checked(entry, max_bytes)
        if not problem and name in files and files[name] != ExpectedFile(entry.key, name, _size(entry)):
            name, problem = f"{name} (again)", f"the list has two files of this name, this one of {entry.size} bytes"
        if problem:
            unusable[name or _shown(entry.key, number)] = problem
        else:
            files.setdefault(name, ExpectedFile(entry.key, name, _size(entry)))
    return Manifest(job_guid, tuple(files.values()), {name: why for name, why in unusable.items() if name not in files})


def urls_by_name(listed: Iterable[ListedFile]) -> dict[str, str]:
    """Return each file's presigned URL by its name in the folder; of a file listed twice, the first URL."""
    found: dict[str, str] = {}
    for entry in listed:
        name = safe_name(entry.key)
        if name is not None and entry.url:
            found.setdefault(name, entry.url)
    return found


def batches(job_guid: str, files: Sequence[ExpectedFile], round_number: int, limits: Limits) -> list[CopyBatch]:
    """Cut files into batches, the largest first: many small ones share a function, a large one has its own."""
    largest_first = sorted(files, key=lambda file: (-file.size, file.name))
    groups = cut(largest_first, lambda file: file.size, limits.batch_bytes, limits.batch_files)
    return [
        CopyBatch(f"{round_number:02d}-{number:04d}", round_number, job_guid, group)
        for number, group in enumerate(groups)
    ]


def _checked(entry: ListedFile, max_bytes: int) -> tuple[str, str]:
    """Return name and problem of an entry, either of them empty where there is none."""
    name = safe_name(entry.key)
    if name is None:
        return "", "its key ends in no usable name"
    if not entry.url:
        return name, "it is listed without a URL"
    if not isinstance(entry.size, int) or isinstance(entry.size, bool) or entry.size < 0:
        return name, "it is listed without a size in bytes"
    if entry.size > max_bytes:
        return name, f"it is larger than the {max_bytes} bytes that a file may have here"
    return name, ""


def _size(entry: ListedFile) -> int:
    return entry.size if isinstance(entry.size, int) else 0


def _shown(key: str, number: int) -> str:
    """Name an entry that has no usable name, so that a person recognises it."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in key)[:_SHOWN]
    return f"entry {number + 1} ({plain!r})"
