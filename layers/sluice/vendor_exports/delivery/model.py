"""One export: its slot and folder, its execution, the job, the expected files, and the result."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from sluice.lake.object_store import RUNS_PREFIX
from sluice.vendor_exports.client.api import MAX_FILES, Environment

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


DELIVERED = "delivered"
INCOMPLETE = "incomplete"
LONGEST_CAUSE, LONGEST_REASON = 1000, 200  # characters: of an export, of a file
_RUNS = f"{RUNS_PREFIX}exports/"


@dataclass(frozen=True, slots=True)
class Export:
    """The export of a slot by one execution, which has the slot's lease; `vendor_url` is for the local stage."""

    environment: Environment
    slot: Slot
    execution: str
    vendor_url: str = ""

    @classmethod
    def from_json(cls, environment: Environment, value: Mapping[str, Any]) -> Self:
        """Read it from the machine's state: ``{"slot", "execution", "vendor_url"?}``."""
        return cls(environment, Slot.parse(value["slot"]), value["execution"], value.get("vendor_url", ""))

    @property
    def folder(self) -> str:
        """Prefix of the copied files."""
        return self.slot.folder(self.environment)

    @property
    def name(self) -> str:
        """Name of the execution."""
        return self.execution.rpartition(":")[2]

    @property
    def manifest_key(self) -> str:
        """Key of the manifest of all rounds so far."""
        return self._key("manifest")

    def plan_key(self, number: int) -> str:
        """Return the key of a round's batches."""
        return self._key(f"plan-{number:02d}")

    def result_key(self, batch_id: str) -> str:
        """Return the key of a batch's result."""
        return self._key(f"results/{batch_id}")

    def _key(self, document: str) -> str:
        return f"{_RUNS}{self.slot}/{self.name}/{document}.json"


class JobState(StrEnum):
    """State of a job as last seen."""

    TRIGGERED = "triggered"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """The vendor's job of a slot; `vendor` is the URL of the service that runs it."""

    guid: str
    vendor: str
    state: JobState


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file of a job: its key at the vendor's, its name in the slot's folder, its bytes."""

    key: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a job; `unusable` says why an entry of the list cannot be copied, by its name."""

    job_guid: str
    files: tuple[ExpectedFile, ...]
    unusable: Mapping[str, str]

    def extended(self, later: Self) -> Self:
        """Add a later list, which holds for what it names: an expected file stays, an unusable entry may be usable.

        What all lists name beyond `MAX_FILES` is left out, and counted as one unusable entry.
        """
        relisted = {file.name: file for file in later.files}
        files = (*(relisted.pop(file.name, file) for file in self.files), *relisted.values())
        usable = {file.name for file in files}
        unusable = [(name, why) for name, why in {**self.unusable, **later.unusable}.items() if name not in usable]
        if max(len(files), len(unusable)) > MAX_FILES:
            why = f"the lists of this job name more than the {MAX_FILES} files that it may have here"
            unusable = [("(further files)", why), *unusable[: MAX_FILES - 1]]
        return type(self)(self.job_guid, files[:MAX_FILES], dict(unusable))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a manifest that was written as JSON."""
        return cls(**{**value, "files": _files(value)})


@dataclass(frozen=True, slots=True)
class CopyBatch:
    """Files that one function copies in a round; rounds are numbered from 1."""

    batch_id: str
    round: int
    job_guid: str
    files: tuple[ExpectedFile, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a batch that was written as JSON."""
        return cls(**{**value, "files": _files(value)})


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Result of a batch.

    Attributes:
        kept: Names of files that were there with the same ETag.
        reasons: Why files are missing, by name.
        busy: Those of them whose server was busy, with the seconds it asks to wait, where it names any.
    """

    kept: list[str]
    reasons: Mapping[str, str]
    busy: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Result of an export.

    Attributes:
        slot: The slot, ``YYYYMMDD-HH``.
        status: ``delivered`` or ``incomplete``.
        folder: Prefix of the files.
        promised: Number of files the vendor promised.
        copied: Number of files this execution copied.
        refetched: How many of those needed a second URL.
        bytes: Bytes this execution copied.
        missing: Names of promised files that did not arrive whole.
        missing_tables: Tables of the vendor's schema, out-of-scope ones left out, without any file.
        reasons: Why files are missing, by name.
        cause: Why the export is incomplete, in one sentence; empty when it is delivered.
    """

    slot: str
    status: str
    folder: str
    promised: int = 0
    copied: int = 0
    refetched: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    missing_tables: list[str] = field(default_factory=list)
    reasons: Mapping[str, str] = field(default_factory=dict)
    cause: str = ""

    def summary(self) -> dict[str, Any]:
        """Return the figures for the machine's state, without names of files."""
        names = ("status", "cause", "folder", "promised", "copied", "refetched", "bytes")
        return {name: getattr(self, name) for name in names} | {"missing": len(self.missing)}


def _files(value: Mapping[str, Any]) -> tuple[ExpectedFile, ...]:
    return tuple(ExpectedFile(**file) for file in value["files"])
