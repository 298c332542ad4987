"""Verdict on an endpoint's rows: whether their schema and their number are what the mart's readers rely on."""

from collections.abc import Iterator
from dataclasses import dataclass

from sluice.api_pull.contracts import EndpointContract
from sluice.api_pull.progress import Counts

_MOST_NAMED = 5  # unknown members in a sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """Reasons against loading an endpoint: changes of its schema, and its volume; "" where nothing does."""

    schema_changes: tuple[str, ...] = ()
    volume: str = ""

    @property
    def cause(self) -> str:
        """All of it in sentences; "" for an endpoint to be loaded."""
        return ". ".join([*self.schema_changes, *filter(None, [self.volume])])


def verdict_on(contract: EndpointContract, counts: Counts, usual: float | None) -> Verdict:
    """Return the verdict; `usual` is the number of rows that the table usually gets, None if that is not known yet."""
    return Verdict(tuple(_schema_changes(contract, counts)), _volume(contract, counts, usual))


def _schema_changes(contract: EndpointContract, counts: Counts) -> Iterator[str]:
    """Yield what more than half of the rows have otherwise than the contract says."""
    for member in contract.schema["properties"]:
        for rows, what in ((counts.absent[member], "is gone from"), (counts.mistyped[member], "has another type in")):
            if 2 * rows > counts.rows:
                yield f"Member {member} {what} {rows:,} of {counts.rows:,} rows of /{contract.endpoint}{_new(counts)}"


def _new(counts: Counts) -> str:
    names = [name for name, rows in counts.unknown.most_common(_MOST_NAMED) if 2 * rows > counts.rows]
    return f"; new there: {', '.join(names)}" if names else ""


def _volume(contract: EndpointContract, counts: Counts, usual: float | None) -> str:
    came = f"{counts.clean:,} clean rows of {counts.rows:,} that /{contract.endpoint} gave"
    if counts.clean < contract.volume.least:
        return f"{came}: at least {contract.volume.least:,} are expected"
    if 2 * counts.dirty_rows > counts.rows:
        return f"{counts.dirty_rows:,} of {counts.rows:,} rows of /{contract.endpoint} are dirty, or have dirty items"
    low, high = contract.volume.of_usual
    if usual and not low * usual <= counts.clean <= high * usual:
        return f"{came}: {usual:,.0f} are usual"
    return ""
