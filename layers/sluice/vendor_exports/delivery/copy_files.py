"""Copy of a batch of files: each file is copied or its reason recorded, whatever happens to the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
    StoredFile,
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


class PresignedUrls:
    """The presigned URLs of a job's files, in memory only: listed when one is wanted, again when one has expired.

    Made for one batch: a vendor that gives no list is not asked again for every other file.
    """

    def __init__(self, vendor: Vendor, environment: Environment, job_guid: str, clock: Callable[[], float]) -> None:
        """Bind the vendor and the job; `clock` gives seconds that only grow."""
        self._vendor = vendor
        self._environment = environment
        self._job_guid = job_guid
        self._clock = clock
        self._lock = Lock()
        self._urls: dict[str, str] = {}
        self._listed_at = float("-inf")
        self._failure: VendorError | None = None

    def url(self, name: str, newer_than: float = float("-inf")) -> tuple[str | None, float]:
        """Return a file's URL, None where the list has none, and the time it was listed.

        Args:
            name: Name of the file in its folder.
            newer_than: A URL that was listed then or before is of no use any more.

        Raises:
            VendorError: The vendor gives no list.
        """
        with self._lock:  # one thread asks, the others take what it got
            if self._failure:
                raise self._failure
            if self._listed_at <= newer_than:
                self._urls, self._listed_at = self._list(), self._clock()
            return self._urls.get(name), self._listed_at

    def _list(self) -> dict[str, str]:
        try:
            return urls_by_name(self._vendor.files(self._environment, self._job_guid, LIFETIME_MINUTES))
        except VendorError as error:
            self._failure = error
            raise


class BatchCopy:
    """Copies batches of one slot for one execution."""

    def __init__(
        self, copy: FileCopy, stored: StoredFiles, export: Export, urls: PresignedUrls, pauses: Pauses
    ) -> None:
        """Bind the parts."""
        self._copy = copy
        self._stored = stored
        self._export = export
        self._urls = urls
        self._pauses = pauses

    def run(self, batch: CopyBatch) -> BatchResult:
        """Copy the files that are not there yet."""
        stored = self._stored.heads([f"{self._export.folder}{file.name}" for file in batch.files])
        wanted = [file for file, there in zip(batch.files, stored, strict=True) if not _is_copied(there, file, batch)]
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
        url, listed_at = self._url(file)
        try:
            return self._try_url(file, url, batch, refetched=batch.round > 1)
        except UrlExpiredError:
            url, _ = self._url(file, listed_at)
            return self._try_url(file, url, batch, refetched=True)

    def _url(self, file: ExpectedFile, newer_than: float = float("-inf")) -> tuple[str, float]:
        url, listed_at = self._urls.url(file.name, newer_than)
        if url is None:
            raise DownloadError("the vendor does not list it any more")
        return url, listed_at

    def _try_url(self, file: ExpectedFile, url: str, batch: CopyBatch, *, refetched: bool) -> bool:
        copy: Callable[..., bool] = self._copy.copy
        provenance = Provenance(batch.job_guid, self._export.name, "", refetched)
        return Retrying(
            retry=retry_if_exception_type(TransientDownloadError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=self._pauses.first_seconds, max=_LONGEST_PAUSE),
            sleep=self._pauses.sleep,
            reraise=True,
        )(copy, file, f"{self._export.folder}{file.name}", url, provenance)


def _is_copied(stored: StoredFile | None, file: ExpectedFile, batch: CopyBatch) -> bool:
    """Tell whether the file is there, whole and of this job."""
    return stored is not None and stored.size == file.size and stored.is_of(batch.job_guid)
