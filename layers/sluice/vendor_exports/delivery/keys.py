"""Where an export's own documents lie in the lake."""

from dataclasses import dataclass

from sluice.vendor_exports.delivery.model import Landed, Lease

RUNS_PREFIX = "runs/exports/"


@dataclass(frozen=True, slots=True)
class ExportRun:
    """An execution's work on a slot, as keys."""

    lease: Lease

    @property
    def folder(self) -> str:
        """Prefix the files land under."""
        return self.lease.slot.folder(self.lease.environment)

    @property
    def name(self) -> str:
        """Name of the execution."""
        return self.lease.execution.rpartition(":")[2]

    @property
    def manifest_key(self) -> str:
        """Key of what was promised so far."""
        return f"{self._prefix}manifest.json"

    def plan_key(self, number: int) -> str:
        """Key of a round's batches."""
        return f"{self._prefix}plan-{number:02d}.json"

    def result_key(self, batch_id: str) -> str:
        """Key of what became of a batch."""
        return f"{self._prefix}results/{batch_id}.json"

    def copied(self, landed: Landed) -> bool:
        """Tell whether this execution copied a file."""
        return landed.provenance is not None and landed.provenance.execution == self.name

    @property
    def _prefix(self) -> str:
        return f"{RUNS_PREFIX}{self.lease.slot}/{self.name}/"
