"""Copies of files from their URLs to the lake, one batch at a time.

A file is verified, and its copy resumed where an earlier attempt stopped; a URL that has expired is listed again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate
from threading import Event, Lock

from sluice.http.answers import Pauses
from sluice.http.retrying import retrying
from sluice.vendor_exports.client.api import Environment, Vendor, VendorError, VendorUnavailableError
from sluice.vendor_exports.delivery.model import LONGEST_REASON, BatchResult, CopyBatch, ExpectedFile, Export
from sluice.vendor_exports.delivery.transfers import (
    Download,
    DownloadError,
    Downloads,
    Part,
    Provenance,
    RangeRefusedError,
    ServerBusyError,
    StoredFiles,
    TransientDownloadError,
    Upload,
    Uploads,
    UrlExpiredError,
)

PART_BYTES = 8 * 1024 * 1024
"""Bytes of a file that are in memory at a time; parts of an upload have this size, the last one less."""

LIFETIME_MINUTES = 60
"""Lifetime of the presigned URLs that files are copied from."""

_THREADS = 4  # files at a time; each holds two parts in memory
_ATTEMPTS = 4
_BUSY = (ServerBusyError, VendorUnavailableError)  # a later round may succeed


class UnexpectedContentError(DownloadError):
    """The vendor sends other bytes than it promised."""


@dataclass(frozen=True, slots=True)
class FileCopy:
    """Copies files; safe to use from several threads."""

    downloads: Downloads
    stored: StoredFiles
    uploads: Uploads

    def copy(self, file: ExpectedFile, key: str, url: str, wanted: Provenance) -> bool:
        """Copy the file of a URL to a key; return False if the same file was there already.

        Raises:
            DownloadError: The file could not be fetched, or is not the expected one.
        """
        begun = self._begun(key, wanted.job_guid, file.size) if file.size > PART_BYTES else None
        if begun and self._went_on(begun, file, key, url):
            return True
        with self.downloads.open(url, 0) as download:
            if self._is_there(key, file, download):
                return False
            if download.size not in {None, file.size}:
                raise UnexpectedContentError(f"{file.size} bytes were promised, the server has {download.size}")
            provenance = replace(wanted, source_etag=download.etag)
            if file.size <= PART_BYTES:
                self._put(file, key, download, provenance)
            else:
                self._put_in_parts(file, key, download, self._begin(key, provenance))
        return True

    def _went_on(self, begun: Upload, file: ExpectedFile, key: str, url: str) -> bool:
        """Copy what an upload lacks; abort it where the server has another file now, or does not send the rest."""
        with suppress(RangeRefusedError), self.downloads.open(url, begun.size) as download:
            if download.etag == begun.provenance.source_etag and download.size in {None, file.size}:
                self._put_in_parts(file, key, download, begun)
                return True
        self._abort(key, begun)
        return False

    def _is_there(self, key: str, file: ExpectedFile, download: Download) -> bool:
        stored = self.stored.head(key)
        etag = stored.provenance.source_etag if stored and stored.provenance else ""
        return stored is not None and stored.size == file.size and etag == download.etag != ""

    def _put(self, file: ExpectedFile, key: str, download: Download, provenance: Provenance) -> None:
        body = b"".join(_bounded(download.chunks, file.size))
        _assert_whole(file, len(body))
        _assert_md5(hashlib.md5(body, usedforsecurity=False).hexdigest(), download.md5)
        self.stored.put(key, body, provenance)

    def _put_in_parts(self, file: ExpectedFile, key: str, download: Download, upload: Upload) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        parts = list(upload.parts)
        size = upload.size
        try:
            for body in _in_parts(_bounded(download.chunks, file.size - size)):
                size += len(body)
                # Only the last part may be short; a short one before the end is a body that was cut off.
                if len(body) < PART_BYTES and size != file.size:
                    break
                parts.append(self.stored.put_part(key, upload.upload_id, len(parts) + 1, body))
                digest.update(body)
            _assert_whole(file, size)
            # Parts of an earlier attempt cannot be hashed any more; it is the same file by its ETag.
            if not upload.parts:
                _assert_md5(digest.hexdigest(), download.md5)
            self.stored.complete(key, upload.upload_id, parts)
        except UnexpectedContentError:
            self._abort(key, upload)
            raise
        self.uploads.forget(key)

    def _begun(self, key: str, job_guid: str, size: int) -> Upload | None:
        """Return the upload that an earlier attempt for the same job left; abort one that is of no use.

        A file counts as copied by the execution that began its upload: S3 fixes the metadata at the begin.
        """
        noted = self.uploads.begun(key)
        if noted is None:
            return None
        upload = replace(noted, parts=_before_the_end(self.stored.parts(key, noted.upload_id), size))
        if upload.provenance.job_guid == job_guid and upload.provenance.source_etag and upload.parts:
            return upload
        self._abort(key, upload)
        return None

    def _begin(self, key: str, provenance: Provenance) -> Upload:
        upload = Upload(self.stored.begin(key, provenance), provenance)
        self.uploads.note(key, upload)
        return upload

    def _abort(self, key: str, upload: Upload) -> None:
        self.stored.abort(key, upload.upload_id)
        self.uploads.forget(key)


def _before_the_end(parts: Sequence[Part], size: int) -> tuple[Part, ...]:
    """Leave out a part that ends the file: it is fetched again, for a range behind the end is an error."""
    ends = accumulate(part.size for part in parts)
    return tuple(part for part, end in zip(parts, ends, strict=True) if end < size)


def _bounded(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Yield at most one byte more than expected: enough to see that there are more."""
    left = most + 1
    for chunk in chunks:
        yield chunk[:left]
        left -= len(chunk)
        if left <= 0:
            return


def _in_parts(chunks: Iterator[bytes]) -> Iterator[bytes]:
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= PART_BYTES:
            yield bytes(buffer[:PART_BYTES])
            del buffer[:PART_BYTES]
    if buffer:
        yield bytes(buffer)


def _assert_whole(file: ExpectedFile, size: int) -> None:
    if size < file.size:
        raise TransientDownloadError(f"the body ended after {size} of {file.size} bytes")
    if size > file.size:
        raise UnexpectedContentError(f"{file.size} bytes were promised, more came")


def _assert_md5(md5: str, expected: str) -> None:
    if expected and md5 != expected:
        raise UnexpectedContentError("the bytes are not those of the server's checksum")


@dataclass(slots=True)
class PresignedUrls:
    """The presigned URLs of a job's files, in memory only: listed when one is wanted, again when one has expired.

    Made for one batch: a vendor that gives no list is not asked again for every other file.
    """

    vendor: Vendor
    environment: Environment
    job_guid: str
    _lists: int = 0
    _urls: dict[str, str] = field(default_factory=dict, repr=False)
    _failure: VendorError | None = None
    _lock: Lock = field(default_factory=Lock)

    def url(self, key: str, after_list: int = 0) -> tuple[str, int]:
        """Return the URL of a file, by its key at the vendor's, from a list after that one, and the number of its list.

        Raises:
            DownloadError: The list does not have the file.
            VendorError: The vendor gives no list.
        """
        with self._lock:  # one thread asks, the others take what it got
            if self._failure:
                raise self._failure
            if self._lists <= after_list:
                self._list()
            if key not in self._urls:
                raise DownloadError("the vendor does not list it any more")
            return self._urls[key], self._lists

    def _list(self) -> None:
        try:
            listed = self.vendor.files(self.environment, self.job_guid, LIFETIME_MINUTES)
        except VendorError as error:
            self._failure = error
            raise
        self._urls = {entry.key: entry.url for entry in reversed(listed) if entry.url}  # of the first, if listed twice
        self._lists += 1


@dataclass(frozen=True, slots=True)
class BatchCopy:
    """Copies a batch of one slot for one execution.

    Once a server was busy at all attempts for a file, it gets one for each other file: the machine waits, the function
    must come to its end.
    """

    copy: FileCopy
    stored: StoredFiles
    export: Export
    urls: PresignedUrls
    pauses: Pauses
    _busy: Event = field(default_factory=Event)

    def run(self, batch: CopyBatch) -> BatchResult:
        """Copy the files that are not there yet."""
        stored = self.stored.heads([f"{self.export.folder}{file.name}" for file in batch.files])
        wanted = [
            file
            for file, there in zip(batch.files, stored, strict=True)
            if there is None or there.size != file.size or not there.is_of(batch.job_guid)
        ]
        with ThreadPoolExecutor(_THREADS) as threads:
            outcomes = dict(threads.map(lambda file: (file.name, self._outcome(file, batch)), wanted))
        failures = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Exception)}
        return BatchResult(
            kept=[name for name, outcome in outcomes.items() if outcome is False],
            reasons={name: str(error)[:LONGEST_REASON] for name, error in failures.items()},
            busy={name: error.retry_after for name, error in failures.items() if isinstance(error, _BUSY)},
        )

    def _outcome(self, file: ExpectedFile, batch: CopyBatch) -> bool | DownloadError | VendorError:
        """Return whether the file was copied, or else kept as it was there; or why it is missing."""
        try:
            return self._copy_file(file, batch)
        except (DownloadError, VendorError) as error:
            if isinstance(error, ServerBusyError):
                self._busy.set()
            return error

    def _copy_file(self, file: ExpectedFile, batch: CopyBatch) -> bool:
        """Copy a file from the known URL, then from a new one if that has expired."""
        url, listed = self.urls.url(file.key)
        try:
            return self._try_url(file, url, batch, refetched=batch.round > 1)
        except UrlExpiredError:
            url, _ = self.urls.url(file.key, after_list=listed)
            return self._try_url(file, url, batch, refetched=True)

    def _try_url(self, file: ExpectedFile, url: str, batch: CopyBatch, *, refetched: bool) -> bool:
        provenance = Provenance(batch.job_guid, self.export.name, "", refetched)
        key = f"{self.export.folder}{file.name}"
        attempts = 1 if self._busy.is_set() else _ATTEMPTS
        return retrying(self.pauses, TransientDownloadError, attempts)(self.copy.copy, file, key, url, provenance)
