"""Observations of slots, and the rows of the histories derived from them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sluice.vendor_exports.delivery.master_schema import Schema
from sluice.vendor_exports.delivery.model import Slot


@dataclass(frozen=True, slots=True)
class Observation:
    """Content of a slot's folder at a time; the later observation of a slot counts.

    Attributes:
        slot: The slot.
        observed_at: Time of the observation, UTC.
        files: Number of the vendor's files, whatever they are; our own manifest is left out.
        size: Their bytes.
        tables: Tables with at least one partition, sorted.
        schema: Tables and fingerprints of the vendor's schema; None where the file is missing or cannot be read.
    """

    slot: Slot
    observed_at: datetime
    files: int
    size: int
    tables: tuple[str, ...]
    schema: Schema | None


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """Changes of a job's schema against the schema of the job before."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotHistory:
    """Row of a slot in the histories.

    Attributes:
        slot: The slot.
        delivered: Whether any file landed.
        files: Number of files.
        size: Bytes.
        expected: Tables of the slot's schema, or of the last schema before it, without those out of scope.
        missing: Expected tables without a partition.
        unexpected: Tables with partitions that are neither expected nor out of scope.
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
    def tables(self) -> int:
        """Number of the expected tables that came."""
        return len(self.expected) - len(self.missing)

    @property
    def completeness(self) -> float:
        """Share of the expected tables that came; where none are expected: 1 for a delivery, 0 for none."""
        return self.tables / len(self.expected) if self.expected else float(self.delivered)


USUAL_WEEKS = 8
"""Weeks that the usual size of an hour of the week is computed over."""

USUAL_JOBS = 3
"""Fewest delivered jobs in that time for a usual size."""

_WEEKS_BEFORE = tuple(timedelta(weeks=weeks) for weeks in range(1, USUAL_WEEKS + 1))
_NO_CHANGE = SchemaChange()


def derive(observations: Iterable[Observation], out_of_scope: Collection[str]) -> list[SlotHistory]:
    """Return the row of each observation, in their order: that of slots, each slot once.

    Tables `out_of_scope` are neither expected nor unexpected.
    """
    ignored = frozenset(out_of_scope)
    schema: Schema | None = None
    expected: tuple[str, ...] = ()
    known = ignored  # expected or out of scope
    sizes: dict[datetime, int] = {}
    rows = []
    for seen in observations:
        change = _NO_CHANGE
        if seen.schema is not None and seen.schema != schema:
            if schema is not None:
                change = _change(dict(schema), dict(seen.schema))
            schema = seen.schema
            expected = tuple(table for table, _ in schema if table not in ignored)
            known = ignored.union(expected)
        if seen.files:
            sizes[seen.slot.hour] = seen.size
        came = frozenset(seen.tables)
        row = SlotHistory(
            slot=seen.slot,
            delivered=seen.files > 0,
            files=seen.files,
            size=seen.size,
            expected=expected,
            missing=tuple(table for table in expected if table not in came),
            unexpected=tuple(sorted(came - known)) if expected else (),
            change=change,
            usual_size=_usual_size(seen.slot.hour, sizes),
        )
        rows.append(row)
    return rows


def _change(before: Mapping[str, str], after: Mapping[str, str]) -> SchemaChange:
    return SchemaChange(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        altered=tuple(sorted(table for table in after.keys() & before.keys() if after[table] != before[table])),
    )


def _usual_size(hour: datetime, sizes: Mapping[datetime, int]) -> int | None:
    delivered = [size for before in _WEEKS_BEFORE if (size := sizes.get(hour - before)) is not None]
    return round(median(delivered)) if len(delivered) >= USUAL_JOBS else None
