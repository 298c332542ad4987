"""All a digest is made from, read together."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sluice.exports.slots import Environment
from sluice.history.deriving import derive
from sluice.history.layout import state_key
from sluice.history.recording import known
from sluice.watching.digest.making import digest_of
from sluice.watching.digest.model import Digest
from sluice.watching.digest.ports import Histories, NewestHours, Records
from sluice.watching.digest.spans import Span


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
            HistoryStoreError: The histories cannot be read.
        """
        state = self.histories.read(state_key(self.environment))
        return digest_of(
            self.stage,
            span,
            self.records.between(*span.known),
            derive(known(state), self.out_of_scope),
            self.tables.newest_hours(),
            now,
        )
