"""What is known of a slot, and the rows the histories make of it."""

from dataclasses import dataclass
from datetime import datetime

from sluice.vendor_exports.delivery.slots import Slot


@dataclass(frozen=True, slots=True)
class Observation:
    """What lay in a slot's folder when it was looked at.

    Attributes:
        slot: The slot.
        observed_at: When it was looked at, UTC; of two observations of a slot the later one holds.
        files: Number of the vendor's files: partitions, metadata and scripts, our own manifest left out.
        size: Their bytes.
        tables: Tables with at least one partition, sorted.
        schema: Table and fingerprint of its entry in `_MasterTableSchema.json`, sorted; None where the file is
            missing or cannot be read.
    """

    slot: Slot
    observed_at: datetime
    files: int
    size: int
    tables: tuple[str, ...]
    schema: tuple[tuple[str, str], ...] | None


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What a job's schema changed against that of the job before it."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotHistory:
    """A slot's row in all histories.

    Attributes:
        slot: The slot.
        delivered: Whether any file landed.
        files: Number of files.
        size: Bytes.
        expected: Tables of the schema minus those out of scope; where the slot has none, of the last one before it.
        missing: Expected tables without a partition.
        unexpected: Tables with partitions that are not expected and not out of scope.
        change: Changes of the schema against the job before.
        usual_size: Median bytes of delivered jobs at this hour of the week before it; None while there are too few.
    """

    slot: Slot
    delivered: bool
    files: int
    size: int
    expected: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    change: SchemaChange
    usual_size: int | None

    @property
    def completeness(self) -> float:
        """Share of the expected tables that came; where none are expected: 1 for a delivery, 0 for none."""
        if not self.expected:
            return float(self.delivered)
        return (len(self.expected) - len(self.missing)) / len(self.expected)
