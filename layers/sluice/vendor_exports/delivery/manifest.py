"""What the vendor promises: its list becomes the manifest, and the plan of a round of copying."""

from dataclasses import asdict, dataclass
from enum import StrEnum

import orjson

from sluice.lake.object_store import ObjectStore
from sluice.vendor_exports.delivery.delivery_state import Arrivals
from sluice.vendor_exports.delivery.keys import ExportRun
from sluice.vendor_exports.delivery.list_files import batches, manifest_of
from sluice.vendor_exports.delivery.model import Lease, Manifest
from sluice.vendor_exports.delivery.ports import Slots, Vendor
from sluice.vendor_exports.delivery.slots import MANIFEST

_LIFETIME_MINUTES = 5  # addresses of this list are not used: copying asks for its own


class Listed(StrEnum):
    """What follows from a list."""

    FILES = "files"
    NOTHING = "nothing"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Listing:
    """A round of copying: its number from 1, and its plan, a file with ``batches``."""

    turn: Listed
    round: int
    plan_key: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Limits: bytes a file may have, files and bytes of a batch, rounds until what is missing is given up."""

    max_file_bytes: int
    batch_files: int
    batch_bytes: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Promising:
    """Asks for lists."""

    files: ObjectStore
    arrivals: Arrivals
    slots: Slots
    sizes: Sizes

    def promise(self, lease: Lease, vendor: Vendor, rounds: int) -> Listing:
        """Ask what the job holds, after so many rounds; plan to copy all of it, or what is missing after the first.

        Raises:
            VendorError: The vendor gives no list.
        """
        run = ExportRun(lease)
        manifest = self._manifest(run, vendor, rounds)
        self.arrivals.write_manifest(run, manifest)
        if manifest.files or manifest.unusable:
            self.files.write(f"{run.folder}{MANIFEST}", orjson.dumps(manifest.proof()))
        return self._listing(manifest, rounds + 1, self._write_plan(run, manifest, rounds))

    def _manifest(self, run: ExportRun, vendor: Vendor, rounds: int) -> Manifest:
        """Read the list; what earlier rounds were promised stays promised."""
        job = self.slots.job(run.lease.environment, run.lease.slot)
        guid = job.guid if job else ""
        offered = vendor.files(run.lease.environment, guid, _LIFETIME_MINUTES)
        manifest = manifest_of(guid, offered, self.sizes.max_file_bytes)
        return self.arrivals.manifest(run).extended(manifest) if rounds else manifest

    def _write_plan(self, run: ExportRun, manifest: Manifest, rounds: int) -> str:
        wanted = self.arrivals.arrival(run, rounds).missing if rounds else manifest.files
        sizes = self.sizes
        plan = batches(manifest.job_guid, wanted, rounds + 1, sizes.batch_files, sizes.batch_bytes)
        key = run.plan_key(rounds + 1)
        self.files.write(key, orjson.dumps({"batches": [asdict(batch) for batch in plan]}))
        return key

    def _listing(self, manifest: Manifest, number: int, plan_key: str) -> Listing:
        if manifest.files or manifest.unusable:
            return Listing(Listed.FILES, number, plan_key)
        if number < self.sizes.rounds:
            return Listing(Listed.NOTHING, number, plan_key)
        return Listing(Listed.OVER, number, plan_key, f"the vendor listed no files, {number} times")
