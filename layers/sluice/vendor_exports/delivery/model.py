"""What an export works on: the lease on its slot, the job, what was promised, and the account of what arrived."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from sluice.vendor_exports.delivery.slots import Environment, Slot


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one execution to work on a slot."""

    environment: Environment
    slot: Slot
    execution: str

    @classmethod
    def from_json(cls, environment: Environment, value: Mapping[str, Any]) -> Self:
        """Read it as the machine hands it from step to step: ``{"slot", "execution", …}``."""
        return cls(environment, Slot.parse(value["slot"]), value["execution"])


class JobState(StrEnum):
    """How far a job is, as far as we know."""

    TRIGGERED = "triggered"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """The vendor's job of a slot; `vendor` is the address of the service that knows it."""

    guid: str
    vendor: str
    state: JobState


@dataclass(frozen=True, slots=True)
class Promise:
    """A file the vendor promised: its key there, the name it lands under here, its bytes."""

    key: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a job promised; `unusable` says why an entry of the list cannot be copied, by its name."""

    job_guid: str
    files: tuple[Promise, ...]
    unusable: Mapping[str, str]

    def proof(self) -> list[dict[str, Any]]:
        """Give what was promised as it lies beside the files: key and size, and no address."""
        return [{"key": file.key, "size": file.size} for file in self.files]

    def extended(self, later: Self) -> Self:
        """Add what a later list promises: a promise once made stays, an entry once unusable may have been mended."""
        known = {file.name for file in self.files}
        files = self.files + tuple(file for file in later.files if file.name not in known)
        usable = {file.name for file in files}
        unusable = {**self.unusable, **later.unusable}
        return type(self)(self.job_guid, files, {name: why for name, why in unusable.items() if name not in usable})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` gave."""
        return cls(value["job_guid"], tuple(Promise(**file) for file in value["files"]), value["unusable"])


@dataclass(frozen=True, slots=True)
class CopyBatch:
    """Files that one function copies; `round` counts how often the list was asked for, from 1."""

    batch_id: str
    round: int
    job_guid: str
    files: tuple[Promise, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` gave."""
        files = tuple(Promise(**file) for file in value["files"])
        return cls(value["batch_id"], value["round"], value["job_guid"], files)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: names that were there already, the same by their ETag, and why names are missing."""

    kept: tuple[str, ...]
    reasons: Mapping[str, str]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `asdict` gave."""
        return cls(tuple(value["kept"]), value["reasons"])


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a file in the lake comes from.

    Attributes:
        job_guid: The job whose file it is.
        execution: The execution that copied it, by name.
        source_etag: The vendor's ETag, empty where it gave none.
        refetched: Whether it needed a second address.
    """

    job_guid: str
    execution: str
    source_etag: str
    refetched: bool


@dataclass(frozen=True, slots=True)
class Landed:
    """A file in the lake; one that nobody here copied has no provenance."""

    size: int
    provenance: Provenance | None

    def is_of(self, job_guid: str) -> bool:
        """Tell whether it was copied from this very job."""
        return self.provenance is not None and self.provenance.job_guid == job_guid


@dataclass(frozen=True, slots=True)
class Account:
    """What became of an export; the document of its slot.

    Attributes:
        slot: The slot, ``YYYYMMDD-HH``.
        status: ``delivered`` or ``incomplete``.
        folder: Prefix of the files.
        promised: Number of files the vendor promised.
        copied: Number of files this execution copied.
        refetched: How many of those needed a second address.
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
    missing: tuple[str, ...] = ()
    missing_tables: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    cause: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the account as JSON values."""
        return asdict(self)

    def summary(self) -> dict[str, Any]:
        """Give what a machine's state carries of it: the figures, without names of files."""
        counts = {name: getattr(self, name) for name in ("promised", "copied", "refetched", "bytes")}
        told = {"status": self.status, "cause": self.cause, "folder": self.folder}
        return {**told, **counts, "missing": len(self.missing)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{**value, "missing": tuple(value["missing"]), "missing_tables": tuple(value["missing_tables"])})


LONGEST_CAUSE = 1000  # characters
DELIVERED = "delivered"
INCOMPLETE = "incomplete"
