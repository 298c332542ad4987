"""All a digest is made from, read together."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sluice.observability.digest.build import digest_of
from sluice.observability.digest.model import Digest
from sluice.observability.digest.periods import Span
from sluice.observability.digest.ports import Histories, NewestHours, Records
from sluice.vendor_exports.completeness.derive import derive
from sluice.vendor_exports.completeness.keys import state_key
from sluice.vendor_exports.completeness.recording import known
from sluice.vendor_exports.delivery.slots import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What is known of a stage.

    Attributes:
        stage: Its name.
        environment: The flow of its exports.
        out_of_scope: Tables of the exports that nobody expects.
        records: Its runs.
        histories: Its exports.
        tables: Its tables.
    """

    stage: str
    environment: Environment
    out_of_scope: Collection[str]
    records: Records
    histories: Histories
    tables: NewestHours

    def digest(self, span: Span, now: datetime) -> Digest:
        """Work out the digest of a span.

        Raises:
            ObjectStoreError: The histories cannot be read.
        """
        state = self.histories.find(state_key(self.environment))
        return digest_of(
            self.stage,
            span,
            self.records.between(*span.known),
            derive(known(state), self.out_of_scope),
            self.tables.newest_hours(),
            now,
        )
