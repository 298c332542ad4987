"""What an export needs of the outside world."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sluice.vendor_exports.client.answers import Accepted, JobReport, Offer, Refused
from sluice.vendor_exports.delivery.model import Account, Job, Landed, Lease, Provenance
from sluice.vendor_exports.delivery.slots import Environment, Slot


class LeaseLostError(Exception):
    """Another execution has the slot now; this one must not go on."""


class DownloadError(Exception):
    """A file could not be fetched; the message says why, and never from where."""


class AddressExpiredError(DownloadError):
    """The address is dead: a new one is needed."""


class TransientDownloadError(DownloadError):
    """The same address may work in a moment."""


class AddressRefusedError(DownloadError):
    """The address is none we may fetch from."""


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is being read.

    Attributes:
        offset: Where in the file it begins.
        length: How many bytes it has, where the server says so.
        etag: The file's ETag, empty where the server gives none by which its bytes are known again.
        md5: MD5 sum of the whole file in hexadecimal, empty where the server gives none.
        chunks: The bytes.
    """

    offset: int
    length: int | None
    etag: str
    md5: str
    chunks: Iterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload that has arrived; `checksum` is its CRC-32 in base64, empty where the store forgot it."""

    number: int
    etag: str
    checksum: str
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in parts, and whose it is."""

    upload_id: str
    provenance: Provenance
    parts: tuple[Part, ...] = ()


class Vendor(Protocol):
    """The vendor's API. Raises VendorError."""

    def trigger(self, environment: Environment) -> Accepted | Refused:
        """Ask for a job."""

    def status(self, job_guid: str) -> JobReport:
        """Ask how far a job is."""

    def files(self, environment: Environment, job_guid: str, minutes: int) -> list[Offer]:
        """Ask for a job's files, with addresses that live for so many minutes."""


class Slots(Protocol):
    """The record of each slot: who works on it, its job, and what became of it."""

    def claim(self, lease: Lease, now: datetime, until: datetime) -> str | None:
        """Take a slot that is free or whose lease is over; return the execution that has it otherwise."""

    def take_over(self, lease: Lease, owner: str, until: datetime) -> bool:
        """Take a slot from an execution, if it still has it; tell whether it was taken."""

    def job(self, environment: Environment, slot: Slot) -> Job | None:
        """Return the slot's last job."""

    def put_job(self, lease: Lease, job: Job) -> None:
        """Record the job. Raises LeaseLostError."""

    def put_findings(self, lease: Lease, account: Account) -> None:
        """Record what is known so far. Raises LeaseLostError."""

    def findings(self, lease: Lease) -> Account | None:
        """Return what this execution recorded last."""

    def close(self, lease: Lease, account: Account) -> None:
        """Record the account and free the slot; again, by the same execution, it changes nothing.

        Raises:
            LeaseLostError: Another execution has the slot.
        """

    def account(self, environment: Environment, slot: Slot) -> Account | None:
        """Return what became of the slot's last export."""


class Uploads(Protocol):
    """Which uploads in parts were begun and not ended."""

    def begun(self, key: str) -> tuple[str, Provenance] | None:
        """Return id and provenance of the upload of a key."""

    def note(self, key: str, upload_id: str, provenance: Provenance) -> None:
        """Note that an upload began."""

    def forget(self, key: str) -> None:
        """Note that it ended."""


class Landing(Protocol):
    """The bucket that files land in."""

    def head(self, key: str) -> Landed | None:
        """Return what lies under a key."""

    def heads(self, keys: Sequence[str]) -> list[Landed | None]:
        """Return what lies under each key, in order."""

    def put(self, key: str, body: bytes, provenance: Provenance) -> None:
        """Write a file whole."""

    def begin(self, key: str, provenance: Provenance) -> str:
        """Begin an upload in parts; return its id."""

    def parts(self, key: str, upload_id: str) -> tuple[Part, ...] | None:
        """Return the parts that have arrived, from the first without a gap; None when there is no such upload."""

    def put_part(self, key: str, upload_id: str, number: int, body: bytes) -> Part:
        """Upload a part; numbers begin with 1."""

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the file of its parts."""

    def abort(self, key: str, upload_id: str) -> None:
        """Throw an upload away."""


class Downloads(Protocol):
    """Fetches files from the vendor's addresses. Raises DownloadError."""

    def open(self, url: str, offset: int) -> AbstractContextManager[Download]:
        """Open a file from a byte on; a server that cannot do so begins with the first."""
