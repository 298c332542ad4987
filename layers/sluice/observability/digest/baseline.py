"""What is usual: the median of the same days of earlier weeks, as far as a stage has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from sluice.observability.digest.periods import Span
from sluice.observability.digest.run_totals import Tally, started
from sluice.runs.model import Kind, RunRecord

_PUNCTUAL = timedelta(hours=2)  # machines run hourly: a time whose first run is later was not watched from its begin


@dataclass(frozen=True, slots=True)
class Usual:
    """Sums over earlier spans; of a young stage there are none."""

    tallies: tuple[Tally, ...]

    @classmethod
    def of(cls, span: Span, records: Sequence[RunRecord]) -> "Usual":
        """Sum up the earlier spans that are known whole; the records are in the order of their starts."""
        if not records:
            return cls(())
        known_from = started(records[0])
        windows = [window for window in span.earlier if known_from < window.start + _PUNCTUAL]
        found = [[run for run in records if window.holds(started(run))] for window in windows]
        return cls(tuple(Tally.of(runs) for runs in found if runs))

    def count(self, kind: Kind, name: str) -> float | None:
        """Return the usual sum of a count."""
        return self._median([tally.count(kind, name) for tally in self.tallies])

    def rows(self, table: str) -> float | None:
        """Return the usual number of rows of a table."""
        return self._median([tally.rows.get(table, 0) for tally in self.tallies])

    def runs(self, kind: Kind) -> float | None:
        """Return the usual number of runs."""
        return self._median([tally.runs(kind) for tally in self.tallies])

    def clean_share(self) -> float | None:
        """Return the usual share of clean events."""
        return self._median([tally.clean_share for tally in self.tallies if tally.clean_share is not None])

    @staticmethod
    def _median(values: Sequence[float]) -> float | None:
        return median(values) if values else None
