"""A batch of files: each copied or its reason told, whatever happens to the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sluice.vendor_exports.client.connection import Pauses
from sluice.vendor_exports.client.errors import VendorError
from sluice.vendor_exports.delivery.copy_files import FileCopy
from sluice.vendor_exports.delivery.model import BatchResult, CopyBatch, Landed, Promise, Provenance
from sluice.vendor_exports.delivery.ports import AddressExpiredError, DownloadError, Landing, TransientDownloadError
from sluice.vendor_exports.delivery.presigned_urls import AddressBook

_THREADS = 4  # files at a time; each holds two parts in memory
_ATTEMPTS = 4
_LONGEST_PAUSE = 20.0  # seconds


class BatchCopy:
    """Copies batches of one slot for one execution."""

    def __init__(
        self, copy: FileCopy, landing: Landing, folder: str, execution: str, book: AddressBook, pauses: Pauses
    ) -> None:
        """Bind the parts; files land under the prefix `folder`."""
        self._copy = copy
        self._landing = landing
        self._folder = folder
        self._execution = execution
        self._book = book
        self._pauses = pauses

    def run(self, batch: CopyBatch) -> BatchResult:
        """Copy what is not there yet."""
        landed = self._landing.heads([f"{self._folder}{file.name}" for file in batch.files])
        wanted = [file for file, there in zip(batch.files, landed, strict=True) if not _is_ours(there, file, batch)]
        with ThreadPoolExecutor(_THREADS) as threads:
            outcomes = dict(threads.map(lambda file: (file.name, self._outcome(file, batch)), wanted))
        kept = tuple(name for name, outcome in outcomes.items() if outcome == _KEPT)
        return BatchResult(kept, {name: why for name, why in outcomes.items() if why not in {_KEPT, _COPIED}})

    def _outcome(self, file: Promise, batch: CopyBatch) -> str:
        try:
            return _COPIED if self._fetch(file, batch) else _KEPT
        except (DownloadError, VendorError) as error:
            return str(error)

    def _fetch(self, file: Promise, batch: CopyBatch) -> bool:
        """Copy a file by the address that is known, then by a new one, should that one have expired."""
        url, listed_at = self._address(file)
        provenance = Provenance(batch.job_guid, self._execution, "", refetched=batch.round > 1)
        try:
            return self._patiently(file, url, provenance)
        except AddressExpiredError:
            url, _ = self._address(file, listed_at)
            again = Provenance(batch.job_guid, self._execution, "", refetched=True)
            return self._patiently(file, url, again)

    def _address(self, file: Promise, newer_than: float = float("-inf")) -> tuple[str, float]:
        url, listed_at = self._book.address(file.name, newer_than)
        if url is None:
            raise DownloadError("the vendor does not list it any more")
        return url, listed_at

    def _patiently(self, file: Promise, url: str, provenance: Provenance) -> bool:
        copy: Callable[..., bool] = self._copy.copy
        return Retrying(
            retry=retry_if_exception_type(TransientDownloadError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=self._pauses.first_seconds, max=_LONGEST_PAUSE),
            sleep=self._pauses.sleep,
            reraise=True,
        )(copy, file, f"{self._folder}{file.name}", url, provenance)


def _is_ours(landed: Landed | None, file: Promise, batch: CopyBatch) -> bool:
    """Tell whether the file lies there whole, as a file of this very job."""
    return landed is not None and landed.size == file.size and landed.is_of(batch.job_guid)


_KEPT, _COPIED = "kept", "copied"
