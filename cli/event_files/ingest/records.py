"""What the ledger says of uploaded files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.ledger_items import Item, source_key
from sluice.event_files.ledger.model import SourceObject


class Records(Protocol):
    """Where records of source objects are found."""

    def of(self, sources: Sequence[SourceObject]) -> Mapping[SourceObject, Item]:
        """The records of those of `sources` that have one."""


@dataclass(frozen=True, slots=True)
class LedgerRecords:
    """The records in a stage's ledger."""

    ledger: DynamoLedger

    def of(self, sources: Sequence[SourceObject]) -> Mapping[SourceObject, Item]:
        """The records of those of `sources` that have one."""
        by_key = {tuple(source_key(source).values()): source for source in sources}
        return {by_key[item["pk"], item["sk"]]: item for item in self.ledger.items(by_key.values())}
