"""The proof: every promised file arrived, and every table of the vendor's own schema is among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sluice.exports.arrival import Arrival, Arrivals
from sluice.exports.layout import ExportRun
from sluice.exports.model import DELIVERED, INCOMPLETE, Account, Lease
from sluice.exports.ports import ExportFiles, Slots
from sluice.exports.slots import MASTER_SCHEMA, table_of
from sluice.history.schemas import read_schema

_NAMED = 400  # names an account gives; it says how many there are, and has to fit one record


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

    files: ExportFiles
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
        if all(file.name != MASTER_SCHEMA for file, _ in arrival.whole):
            return []
        schema = read_schema(self.files.read(f"{run.folder}{MASTER_SCHEMA}")) or ()
        promised = {table_of(file.name) for file in arrival.manifest.files}
        return sorted({table for table, _ in schema} - self.out_of_scope - promised)


def _account(run: ExportRun, arrival: Arrival, tables: list[str]) -> Account:
    copied = [there for _, there in arrival.whole if run.copied(there)]
    promised = len(arrival.manifest.files) + len(arrival.manifest.unusable)
    names = sorted(arrival.reasons)[:_NAMED]
    return Account(
        slot=str(run.lease.slot),
        status=INCOMPLETE if names or tables else DELIVERED,
        folder=run.folder,
        promised=promised,
        copied=len(copied),
        refetched=sum(there.provenance.refetched for there in copied if there.provenance),
        bytes=sum(there.size for there in copied),
        missing=tuple(names),
        missing_tables=tuple(tables[:_NAMED]),
        reasons={name: arrival.reasons[name] for name in names},
        cause=_cause(len(arrival.reasons), promised, tables[:_NAMED]),
    )


def _cause(missing: int, promised: int, tables: Sequence[str]) -> str:
    parts = []
    if missing:
        parts.append(f"{missing} of {promised} promised files did not arrive whole")
    if tables:
        parts.append(f"the export lacks tables of its own schema: {', '.join(tables)}")
    return "; ".join(parts)
