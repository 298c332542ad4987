"""The proof: every promised file arrived, and every table of the vendor's own schema is among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

import orjson

from sluice.lake.object_store import ObjectStore
from sluice.vendor_exports.delivery.delivery_state import Arrival, Arrivals
from sluice.vendor_exports.delivery.keys import ExportRun
from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, LONGEST_CAUSE, Account, Lease
from sluice.vendor_exports.delivery.ports import Slots
from sluice.vendor_exports.delivery.schemas import MAX_SCHEMA_BYTES, read_schema
from sluice.vendor_exports.delivery.slots import MASTER_SCHEMA, table_of

# Names an account gives, and their bytes; it says how many there are, and two of them have to fit one record.
_NAMED, _NAMED_BYTES = 400, 30_000
_LONGEST_REASON = 200  # characters


class Proof(StrEnum):
    """What follows from a check."""

    AGAIN = "again"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Proving:
    """Checks deliveries.

    Attributes:
        files: Small documents in the lake.
        arrivals: Looks at the lake.
        slots: The records of slots.
        out_of_scope: Tables nobody expects.
        rounds: Rounds of copying until what is missing is given up.
    """

    files: ObjectStore
    arrivals: Arrivals
    slots: Slots
    out_of_scope: frozenset[str]
    rounds: int

    def check(self, lease: Lease, rounds: int) -> tuple[Proof, Account]:
        """Compare what arrived with what was promised, after so many rounds, and record the account of it."""
        run = ExportRun(lease)
        arrival = self.arrivals.arrival(run, rounds)
        account = _account(run, arrival, self._missing_tables(run, arrival))
        self.slots.put_findings(lease, account)
        again = bool(arrival.missing) and rounds < self.rounds
        return (Proof.AGAIN if again else Proof.OVER), account

    def _missing_tables(self, run: ExportRun, arrival: Arrival) -> list[str]:
        if not any(file.name == MASTER_SCHEMA and there.size <= MAX_SCHEMA_BYTES for file, there in arrival.whole):
            return []
        schema = read_schema(self.files.read(f"{run.folder}{MASTER_SCHEMA}")) or ()
        promised = {table_of(file.name) for file in arrival.manifest.files}
        return sorted({table for table, _ in schema} - self.out_of_scope - promised)


def _account(run: ExportRun, arrival: Arrival, tables: list[str]) -> Account:
    copied = [there for _, there in arrival.whole if run.copied(there)]
    promised = len(arrival.manifest.files) + len(arrival.manifest.unusable)
    names = _as_many_as_fit(sorted(arrival.reasons))
    return Account(
        slot=str(run.lease.slot),
        status=INCOMPLETE if arrival.reasons or tables else DELIVERED,
        folder=run.folder,
        promised=promised,
        copied=len(copied),
        refetched=sum(there.provenance.refetched for there in copied if there.provenance),
        bytes=sum(there.size for there in copied),
        missing=tuple(names),
        missing_tables=tuple(_as_many_as_fit(tables)),
        reasons={name: arrival.reasons[name][:_LONGEST_REASON] for name in names},
        cause=_cause(len(arrival.reasons), promised, tables)[:LONGEST_CAUSE],
    )


def _as_many_as_fit(names: Sequence[str]) -> list[str]:
    ends = accumulate(len(orjson.dumps(name)) for name in names)
    return [name for name, end in zip(names[:_NAMED], ends, strict=False) if end <= _NAMED_BYTES]


def _cause(missing: int, promised: int, tables: Sequence[str]) -> str:
    parts = []
    if missing:
        parts.append(f"{missing} of {promised} promised files did not arrive whole")
    if tables:
        parts.append(f"the export lacks tables of its own schema: {', '.join(tables)}")
    return "; ".join(parts)
