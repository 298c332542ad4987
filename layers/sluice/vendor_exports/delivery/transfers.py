"""Copying files into the lake: what is read from the vendor's URLs, what is stored, and the ports that do both."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sluice.http.answers import TransientError


class DownloadError(Exception):
    """A file could not be fetched; the message says why and holds no URL."""


class UrlExpiredError(DownloadError):
    """The presigned URL has expired: a new one is needed."""


class TransientDownloadError(DownloadError, TransientError):
    """The same URL may work in a moment."""


class ServerBusyError(TransientDownloadError):
    """The server is busy or cannot be reached: it may take minutes until it works."""


class RangeRefusedError(DownloadError):
    """The server does not send the file from the byte on that it was asked for."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of a file in the lake: its job, the name of the execution that copied it, and the vendor's ETag.

    `source_etag` is empty where the vendor gave none; `refetched` files needed a second URL.
    """

    job_guid: str
    execution: str
    source_etag: str
    refetched: bool


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the lake; one that Sluice did not copy has no provenance."""

    size: int
    provenance: Provenance | None

    def is_of(self, job_guid: str) -> bool:
        """Tell whether it was copied from this job."""
        return self.provenance is not None and self.provenance.job_guid == job_guid


@dataclass(frozen=True, slots=True)
class Download:
    """A response that is being read.

    Attributes:
        size: Size of the whole file, where the server says so.
        etag: The file's ETag, empty where the server gives none that identifies its bytes.
        md5: MD5 sum of the whole file in hexadecimal, empty where the server gives none.
        chunks: The bytes.
    """

    size: int | None
    etag: str
    md5: str
    chunks: Iterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart upload; `checksum` is its CRC-32 in base64, empty where the store keeps none."""

    number: int
    etag: str
    checksum: str
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload of a file."""

    upload_id: str
    provenance: Provenance
    parts: tuple[Part, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of its parts."""
        return sum(part.size for part in self.parts)


class Downloads(Protocol):
    """Opens the vendor's URLs. Raises DownloadError."""

    def open(self, url: str, offset: int) -> AbstractContextManager[Download]:
        """Open a file from a byte on. Raises RangeRefusedError where the server does not begin there."""


class StoredFiles(Protocol):
    """The files in the lake bucket, with their provenance."""

    def head(self, key: str) -> StoredFile | None:
        """Return the file under a key."""

    def heads(self, keys: Sequence[str]) -> list[StoredFile | None]:
        """Return the file under each key, in order."""

    def put(self, key: str, body: bytes, provenance: Provenance) -> None:
        """Write a file whole."""

    def begin(self, key: str, provenance: Provenance) -> str:
        """Begin a multipart upload; return its id."""

    def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        """Return the uploaded parts, from the first to the first gap; none when there is no such upload."""

    def put_part(self, key: str, upload_id: str, number: int, body: bytes) -> Part:
        """Upload a part; numbers begin with 1."""

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the file of its parts."""

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload."""


class Uploads(Protocol):
    """The multipart uploads that were begun and not ended."""

    def begun(self, key: str) -> Upload | None:
        """Return the upload of a key, without its parts."""

    def note(self, key: str, upload: Upload) -> None:
        """Note that an upload began."""

    def forget(self, key: str) -> None:
        """Note that it ended."""
