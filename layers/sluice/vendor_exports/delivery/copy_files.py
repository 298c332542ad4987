"""One file from an address to the lake: whole, verified, and begun where an earlier attempt stopped."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from sluice.vendor_exports.delivery.model import Promise, Provenance
from sluice.vendor_exports.delivery.ports import (
    Download,
    DownloadError,
    Downloads,
    Landing,
    Part,
    TransientDownloadError,
    Upload,
    Uploads,
)

PART_BYTES = 8 * 1024 * 1024
"""Bytes of a file that are in memory at a time; parts of an upload have this size, the last one less."""


class NotAsPromisedError(DownloadError):
    """The vendor gives other bytes than it promised."""


class FileCopy:
    """Copies files; safe to use from several threads."""

    def __init__(self, downloads: Downloads, landing: Landing, uploads: Uploads) -> None:
        """Bind the adapters."""
        self._downloads = downloads
        self._landing = landing
        self._uploads = uploads

    def copy(self, file: Promise, key: str, url: str, wanted: Provenance) -> bool:
        """Make the object under `key` the file behind `url`; tell whether it was not that already.

        Raises:
            DownloadError: The file could not be fetched, or is not as promised.
        """
        begun = self._begun(key, wanted.job_guid, file.size) if file.size > PART_BYTES else None
        with self._downloads.open(url, _size(begun) if begun else 0) as download:
            came = replace(wanted, source_etag=download.etag)
            if begun and not _continues(begun, download):
                self._throw_away(key, begun)
                _assert_from_the_start(download)
                begun = None
            if begun is None and self._has_it(key, file, download):
                return False
            _assert_promised_length(file, download)
            if file.size <= PART_BYTES:
                self._put(file, key, download, came)
            else:
                self._put_in_parts(file, key, download, begun or self._begin(key, came))
        return True

    def _has_it(self, key: str, file: Promise, download: Download) -> bool:
        landed = self._landing.head(key)
        etag = landed.provenance.source_etag if landed and landed.provenance else ""
        return landed is not None and landed.size == file.size and etag == download.etag != ""

    def _put(self, file: Promise, key: str, download: Download, came: Provenance) -> None:
        body = b"".join(_bounded(download.chunks, file.size))
        _assert_whole(file, len(body))
        _assert_unchanged(hashlib.md5(body, usedforsecurity=False).hexdigest(), download.md5)
        self._landing.put(key, body, came)

    def _put_in_parts(self, file: Promise, key: str, download: Download, upload: Upload) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        parts = list(upload.parts)
        size = _size(upload)
        try:
            for body in _in_parts(_bounded(download.chunks, file.size - size)):
                size += len(body)
                # Only the last part may be short; a short one before the end is a body that was cut off.
                if len(body) < PART_BYTES and size != file.size:
                    break
                parts.append(self._landing.put_part(key, upload.upload_id, len(parts) + 1, body))
                digest.update(body)
            _assert_whole(file, size)
            # What an earlier attempt fetched cannot be hashed any more; it is the same file by its ETag.
            if not upload.parts:
                _assert_unchanged(digest.hexdigest(), download.md5)
            self._landing.complete(key, upload.upload_id, parts)
        except NotAsPromisedError:
            self._throw_away(key, upload)
            raise
        self._uploads.forget(key)

    def _begun(self, key: str, job_guid: str, size: int) -> Upload | None:
        """Return the upload that an attempt for the same job left behind; throw away one that is of no use.

        A file counts as copied by the execution that began it: the provenance of an upload is fixed at its begin.
        """
        noted = self._uploads.begun(key)
        if noted is None:
            return None
        upload = Upload(noted[0], noted[1], _before_the_end(self._landing.parts(key, noted[0]) or (), size))
        if upload.provenance.job_guid == job_guid and upload.provenance.source_etag and upload.parts:
            return upload
        self._throw_away(key, upload)
        return None

    def _begin(self, key: str, came: Provenance) -> Upload:
        upload = Upload(self._landing.begin(key, came), came)
        self._uploads.note(key, upload.upload_id, came)
        return upload

    def _throw_away(self, key: str, upload: Upload) -> None:
        self._landing.abort(key, upload.upload_id)
        self._uploads.forget(key)


def _continues(begun: Upload, download: Download) -> bool:
    """Tell whether a download goes on where an upload of the same file stopped."""
    return download.etag == begun.provenance.source_etag and download.offset == _size(begun)


def _assert_from_the_start(download: Download) -> None:
    if download.offset:
        raise TransientDownloadError("the file changed since its copy was begun")


def _assert_promised_length(file: Promise, download: Download) -> None:
    if download.length is not None and download.offset + download.length != file.size:
        has = download.offset + download.length
        raise NotAsPromisedError(f"{file.size} bytes were promised, the server has {has}")


def _size(upload: Upload) -> int:
    return sum(part.size for part in upload.parts)


def _before_the_end(parts: Sequence[Part], size: int) -> tuple[Part, ...]:
    """Leave out a part that ends the file: it is fetched again, for a server has nothing to say behind the end."""
    ends = accumulate(part.size for part in parts)
    return tuple(part for part, end in zip(parts, ends, strict=True) if end < size)


def _bounded(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Hand on at most one byte more than promised: enough to see that there is more."""
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


def _assert_whole(file: Promise, size: int) -> None:
    if size < file.size:
        raise TransientDownloadError(f"the body ended after {size} of {file.size} bytes")
    if size > file.size:
        raise NotAsPromisedError(f"{file.size} bytes were promised, more came")


def _assert_unchanged(md5: str, promised: str) -> None:
    if promised and md5 != promised:
        raise NotAsPromisedError("the bytes are not those of the server's checksum")
