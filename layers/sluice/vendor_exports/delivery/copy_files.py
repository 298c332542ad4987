"""Copy of a batch of files: each file is copied or its reason recorded, whatever happens to the others."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sluice.vendor_exports.client.answers import Vendor
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.client.errors import VendorError
from sluice.vendor_exports.client.pauses import Pauses
from sluice.vendor_exports.delivery.file_copy import FileCopy
from sluice.vendor_exports.delivery.manifest import urls_by_name
from sluice.vendor_exports.delivery.model import BatchResult, CopyBatch, ExpectedFile, Export
from sluice.vendor_exports.delivery.transfers import (
    DownloadError,
    Provenance,
    StoredFiles,
    TransientDownloadError,
    UrlExpiredError,
)

LIFETIME_MINUTES = 60
"""Lifetime of the presigned URLs that files are copied from."""

_THREADS = 4  # files at a time; each holds two parts in memory
_ATTEMPTS = 4
_LONGEST_PAUSE = 20.0  # seconds
_KEPT, _COPIED = "kept", "copied"


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

    def url(self, name: str, after_list: int = 0) -> tuple[str, int]:
        """Return a file's URL from a list after that one, and the number of its list.

        Raises:
            DownloadError: The list does not have the file.
            VendorError: The vendor gives no list.
        """
        with self._lock:  # one thread asks, the others take what it got
            if self._failure:
                raise self._failure
            if self._lists <= after_list:
                self._list()
            if name not in self._urls:
                raise DownloadError("the vendor does not list it any more")
            return self._urls[name], self._lists

    def _list(self) -> None:
        try:
            listed = self.vendor.files(self.environment, self.job_guid, LIFETIME_MINUTES)
        except VendorError as error:
            self._failure = error
            raise
        self._urls = urls_by_name(listed)
        self._lists += 1


@dataclass(frozen=True, slots=True)
class BatchCopy:
    """Copies batches of one slot for one execution."""

    copy: FileCopy
    stored: StoredFiles
    export: Export
    urls: PresignedUrls
    pauses: Pauses

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
        kept = [name for name, outcome in outcomes.items() if outcome == _KEPT]
        return BatchResult(kept, {name: why for name, why in outcomes.items() if why not in {_KEPT, _COPIED}})

    def _outcome(self, file: ExpectedFile, batch: CopyBatch) -> str:
        try:
            return _COPIED if self._copy_file(file, batch) else _KEPT
        except (DownloadError, VendorError) as error:
            return str(error)

    def _copy_file(self, file: ExpectedFile, batch: CopyBatch) -> bool:
        """Copy a file from the known URL, then from a new one if that has expired."""
        url, listed = self.urls.url(file.name)
        try:
            return self._try_url(file, url, batch, refetched=batch.round > 1)
        except UrlExpiredError:
            url, _ = self.urls.url(file.name, after_list=listed)
            return self._try_url(file, url, batch, refetched=True)

    def _try_url(self, file: ExpectedFile, url: str, batch: CopyBatch, *, refetched: bool) -> bool:
        provenance = Provenance(batch.job_guid, self.export.name, "", refetched)
        retrying = Retrying(
            retry=retry_if_exception_type(TransientDownloadError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=self.pauses.first_seconds, max=_LONGEST_PAUSE),
            sleep=self.pauses.sleep,
            reraise=True,
        )
        return retrying(self.copy.copy, file, f"{self.export.folder}{file.name}", url, provenance)
