"""The vendor's addresses of a job's files. They live in the memory of the process that copies, and nowhere else."""

from collections.abc import Callable
from threading import Lock

from sluice.vendor_exports.client.errors import VendorError
from sluice.vendor_exports.delivery.list_files import addresses
from sluice.vendor_exports.delivery.ports import Vendor
from sluice.vendor_exports.delivery.slots import Environment

LIFETIME_MINUTES = 60


class AddressBook:
    """Asks the vendor for the list when an address is wanted, and again when one has expired.

    Made for one batch: a vendor that gives no list is not asked again for every other file.
    """

    def __init__(self, vendor: Vendor, environment: Environment, job_guid: str, clock: Callable[[], float]) -> None:
        """Bind the vendor and the job; `clock` gives seconds that only grow."""
        self._vendor = vendor
        self._environment = environment
        self._job_guid = job_guid
        self._clock = clock
        self._lock = Lock()
        self._addresses: dict[str, str] = {}
        self._listed_at = float("-inf")
        self._failure: VendorError | None = None

    def address(self, name: str, newer_than: float = float("-inf")) -> tuple[str | None, float]:
        """Return a file's address, None where the list has none, and when it was listed.

        Args:
            name: The name it lands under.
            newer_than: An address that was listed then or before is of no use any more.

        Raises:
            VendorError: The vendor gives no list.
        """
        with self._lock:  # one thread asks, the others take what it got
            if self._failure:
                raise self._failure
            if self._listed_at <= newer_than:
                self._addresses, self._listed_at = self._list(), self._clock()
            return self._addresses.get(name), self._listed_at

    def _list(self) -> dict[str, str]:
        try:
            return addresses(self._vendor.files(self._environment, self._job_guid, LIFETIME_MINUTES))
        except VendorError as error:
            self._failure = error
            raise
