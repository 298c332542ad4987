"""From the vendor's list of files to the manifest and the batches of a round; every entry of the list is untrusted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from unicodedata import category

import orjson

from sluice.http.documents import whole_number
from sluice.http.patience import Patience
from sluice.lake.batching import cut
from sluice.vendor_exports.client.api import (
    WITHHELD_KEY,
    AnswerNotUnderstoodError,
    JobUnknownError,
    ListedFile,
    Vendor,
    VendorError,
    VendorUnavailableError,
)
from sluice.vendor_exports.delivery.delivery_check import DeliveryReader
from sluice.vendor_exports.delivery.model import MANIFEST, CopyBatch, ExpectedFile, Export, Manifest
from sluice.vendor_exports.delivery.slot_records import SlotRecords

_LONGEST_NAME = 255  # bytes; with the folder still far below what S3 takes
_LONGEST_KEY = 1024
_MOST_BYTES = 25  # times those of the largest file: of a job, whose files are some 30 GB in all at the most
_SHOWN = 80
_RELATIVE = {".", ".."}
_FOLDERS = ("/", "\\", "_$folder$")
_LIFETIME_MINUTES = 5  # the URLs of this list are not used: copying asks for its own


class Listed(StrEnum):
    """Next step of the machine after a list."""

    FILES = "files"
    WAIT = "wait"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Listing:
    """Answer to a list: the number of the round, from 1, and the key of its plan, a document with ``batches``.

    `waited_seconds` are all the machine will have waited for the files.
    """

    next_step: Listed
    round: int
    plan_key: str
    wait_seconds: int
    waited_seconds: int
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
    patience: Patience

    def list_files(self, export: Export, vendor: Vendor, rounds: int, waited_seconds: int) -> Listing:
        """Ask for the job's files, after so many rounds and seconds; plan to copy all, or later those that are missing.

        Raises:
            VendorError: The vendor refuses the credentials.
        """
        job = self.slots.get(export.environment, export.slot).job
        guid = job.guid if job else ""
        why = f"the vendor listed no files, {rounds + 1} times"
        try:
            listed = vendor.files(export.environment, guid, _LIFETIME_MINUTES)
        except (VendorUnavailableError, AnswerNotUnderstoodError) as error:
            return self._later(error, rounds, waited_seconds)
        except JobUnknownError as error:  # or it does not know it yet
            listed, why = [], str(error)
        manifest = manifest_of(guid, listed, self.limits.max_file_bytes)
        if rounds:  # files of earlier lists stay expected
            manifest = self.deliveries.manifest(export).extended(manifest)
        listing = Listing(Listed.FILES, rounds + 1, self._write(export, manifest, rounds), 0, waited_seconds)
        if manifest.files or manifest.unusable:
            return listing
        if listing.round < self.limits.rounds:
            wait = self.patience.usual
            return replace(listing, next_step=Listed.WAIT, wait_seconds=wait, waited_seconds=waited_seconds + wait)
        return replace(listing, next_step=Listed.OVER, cause=why)

    def _later(self, error: VendorError, rounds: int, waited: int) -> Listing:
        """Return what is to be done where the vendor gave no list: it is no round."""
        wait = self.patience.wait(error.retry_after, waited)
        if wait is None:
            cause = f"the vendor gave no list within {self.patience.seconds // 60} minutes of waiting: {error}"
            return Listing(Listed.OVER, rounds, "", 0, waited, cause)
        return Listing(Listed.WAIT, rounds, "", wait, waited + wait)

    def _write(self, export: Export, manifest: Manifest, rounds: int) -> str:
        """Write the manifest and the plan of the next round; return the plan's key."""
        self.deliveries.files.write(export.manifest_key, orjson.dumps(manifest))
        if manifest.files or manifest.unusable:
            promised = [{"key": file.key, "size": file.size} for file in manifest.files]
            self.deliveries.files.write(f"{export.folder}{MANIFEST}", orjson.dumps(promised))
        wanted = self.deliveries.state(export, rounds).missing if rounds else manifest.files
        plan = batches(manifest.job_guid, wanted, rounds + 1, self.limits)
        key = export.plan_key(rounds + 1)
        self.deliveries.files.write(key, orjson.dumps({"batches": plan}))
        return key


def safe_name(key: str) -> str | None:
    """Return the name of a file in its folder: the last part of its key; None if that is not usable as a name.

    The vendor's own file of the name of our manifest gets another underscore in front.
    """
    if _name_problem(key):
        return None
    name = _last_part(key)
    return f"_{name}" if name == MANIFEST else name


def _last_part(key: str) -> str:
    return key.replace("\\", "/").rpartition("/")[2]


def _name_problem(key: str) -> str:
    """Return why the last part of a key is no name for a file; empty where it is one."""
    name = _last_part(key)
    odd = next((letter for letter in name if not letter.isprintable() and category(letter) != "Zs"), "")
    problems = (
        (not key, "it is listed without an object key"),
        (key == WITHHELD_KEY, "its object key holds a secret, or more escapes (%) than can be looked into"),
        (not name.strip(), "its object key ends in a folder (prefix), or in blanks"),
        (name in _RELATIVE, "its object key ends in a relative path element"),
        (odd, f"its object key has a character to avoid, U+{ord(odd or ' '):04X}"),
        (len(key.encode()) > _LONGEST_KEY, "its object key is longer than the 1024 bytes that S3 takes"),
        (len(name.encode()) > _LONGEST_NAME, f"its object key ends in a name of more than {_LONGEST_NAME} bytes"),
    )
    return next((problem for has_it, problem in problems if has_it), "")


def _is_folder_marker(entry: ListedFile) -> bool:
    """Tell whether an entry is the empty object that consoles and Hadoop keep for a folder: no file."""
    return whole_number(entry.size) == 0 and entry.key.endswith(_FOLDERS)


def manifest_of(job_guid: str, listed: Iterable[ListedFile], max_bytes: int) -> Manifest:
    """Read the list: entries that are listed twice are one, and entries that cannot be copied say why."""
    files: dict[str, ExpectedFile] = {}
    refused: dict[tuple[str, str], str] = {}  # by name and key: what one entry of a key lacks, another may have
    doubles: dict[tuple[str, str, int], str] = {}
    left = _MOST_BYTES * max_bytes
    for number, entry in enumerate(listed):
        if _is_folder_marker(entry):
            continue
        name, problem = safe_name(entry.key) or "", _problem(entry, max_bytes)
        file = ExpectedFile(entry.key, name, whole_number(entry.size) or 0)
        if not problem and name not in files and file.size > left:
            problem = f"with it, the job would have more than the {_MOST_BYTES * max_bytes} bytes that it may have here"
        if problem:
            refused[name or _shown(entry.key, number), entry.key] = problem
        elif name not in files:
            files[name] = file
            left -= file.size
        elif files[name] != file:
            why = f"the list has two files of this name, this one of {file.size} bytes"
            doubles[name, file.key, file.size] = why
    keys = {file.key for file in files.values()}
    unusable = [(name, why) for (name, key), why in refused.items() if key not in keys]
    unusable += [(name, why) for (name, _, _), why in doubles.items()]
    return Manifest(job_guid, tuple(files.values()), _labelled(unusable, files))


def _labelled(unusable: Iterable[tuple[str, str]], files: Iterable[str]) -> dict[str, str]:
    """Return why entries are unusable, each by a name of its own."""
    labelled: dict[str, str] = {}
    counts = Counter(iter(files))
    for name, why in unusable:
        number = counts[name]
        labelled[f"{name} (again{f', {number}' if number > 1 else ''})" if number else name] = why
        counts[name] += 1
    return labelled


def batches(job_guid: str, files: Sequence[ExpectedFile], round_number: int, limits: Limits) -> list[CopyBatch]:
    """Cut files into batches, the largest first: many small ones share a function, a large one has its own."""
    largest_first = sorted(files, key=lambda file: (-file.size, file.name))
    groups = cut(largest_first, lambda file: file.size, limits.batch_bytes, limits.batch_files)
    return [
        CopyBatch(f"{round_number:02d}-{number:04d}", round_number, job_guid, group)
        for number, group in enumerate(groups)
    ]


def _problem(entry: ListedFile, max_bytes: int) -> str:
    """Return why an entry cannot be copied; empty where it can."""
    size = whole_number(entry.size)
    if _name_problem(entry.key):
        return _name_problem(entry.key)
    if not entry.url:
        return "it is listed without a URL"
    if size is None or size < 0:
        told = "" if entry.size is None else f", but with {_shown_size(entry.size)}"
        return f"it is listed without a size in bytes{told}"
    if size > max_bytes:
        return f"it is larger than the {max_bytes} bytes that a file may have here"
    return ""


def _shown_size(size: object) -> str:
    return _printable(orjson.dumps(size).decode())[:_SHOWN]


def _shown(key: str, number: int) -> str:
    """Name an entry that has no usable name, so that a person recognises it."""
    return f"entry {number + 1} ({_printable(key)[:_SHOWN]!r})"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
