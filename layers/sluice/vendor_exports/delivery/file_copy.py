"""Copy of one file from its URL to the lake: verified, and resumed where an earlier attempt stopped."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from sluice.vendor_exports.delivery.model import ExpectedFile
from sluice.vendor_exports.delivery.transfers import (
    Download,
    DownloadError,
    Downloads,
    Part,
    Provenance,
    StoredFiles,
    TransientDownloadError,
    Upload,
    Uploads,
)

PART_BYTES = 8 * 1024 * 1024
"""Bytes of a file that are in memory at a time; parts of an upload have this size, the last one less."""


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
        with self.downloads.open(url, begun.size if begun else 0) as download:
            provenance = replace(wanted, source_etag=download.etag)
            if begun and not _continues(begun, download):
                self._abort(key, begun)
                if download.offset:
                    raise TransientDownloadError("the file changed since its copy was begun")
                begun = None
            if begun is None and self._is_there(key, file, download):
                return False
            _assert_expected_length(file, download)
            if file.size <= PART_BYTES:
                self._put(file, key, download, provenance)
            else:
                self._put_in_parts(file, key, download, begun or self._begin(key, provenance))
        return True

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


def _continues(begun: Upload, download: Download) -> bool:
    """Tell whether a download continues an upload of the same file."""
    return download.etag == begun.provenance.source_etag and download.offset == begun.size


def _assert_expected_length(file: ExpectedFile, download: Download) -> None:
    if download.length is not None and download.offset + download.length != file.size:
        has = download.offset + download.length
        raise UnexpectedContentError(f"{file.size} bytes were promised, the server has {has}")


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
