"""The usual: medians over the same days of earlier weeks, as far as a stage has them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Self

from sluice.observability.digest.periods import Period
from sluice.observability.run_totals import RunTotals
from sluice.runs.model import RunKind, RunRecord

_PUNCTUAL = timedelta(hours=2)  # machines run hourly: a time whose first run is later is not known from its begin


@dataclass(frozen=True, slots=True)
class Baseline:
    """Totals of the earlier periods that are compared with; a young stage has none."""

    totals: tuple[RunTotals, ...]

    @classmethod
    def of(cls, period: Period, records: Sequence[RunRecord], kinds: Mapping[str, RunKind]) -> Self:
        """Sum up the earlier periods that are known whole; the records are in the order of their starts."""
        if not records:
            return cls(())
        known_from = records[0].start
        windows = [window for window in period.earlier if known_from < window.start + _PUNCTUAL]
        found = [[run for run in records if window.holds(run.start)] for window in windows]
        return cls(tuple(RunTotals.of(runs, kinds) for runs in found if runs))

    def median(self, figure: Callable[[RunTotals], float | None]) -> float | None:
        """Return the median of a figure over the periods that have it."""
        values = [value for totals in self.totals if (value := figure(totals)) is not None]
        return median(values) if values else None
