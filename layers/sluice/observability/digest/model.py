"""The digest's figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sluice.observability.digest.cost import Cost
from sluice.observability.digest.periods import Span
from sluice.observability.digest.run_totals import Tally
from sluice.runs.model import RunRecord
from sluice.vendor_exports.completeness.model import SlotHistory


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume against the usual: `name` in documents, `title` for people; no `usual` where there is none yet."""

    name: str
    title: str
    value: int
    usual: float | None

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the usual; None where that is none or nothing."""
        return self.value / self.usual if self.usual else None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why events were dirty.

    Attributes:
        table: Their table, untrusted; ``-`` where it is unknown.
        reason: Its code.
        events: Number of them in the span.
        before: Number in the time before; None where no conversion is known of that time.
    """

    table: str
    reason: str
    events: int
    before: int | None

    @property
    def is_new(self) -> bool:
        """Whether the time before is known and had none."""
        return self.before == 0


@dataclass(frozen=True, slots=True)
class SlowRun:
    """A run that took several times the `usual` seconds of its kind and outcome."""

    run: RunRecord
    usual: float


@dataclass(frozen=True, slots=True)
class TableState:
    """A table: rows written in the span, the usual number, and begin of the newest hour it has rows of, if known."""

    table: str
    rows: int
    usual: float | None
    newest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a span of a stage was like.

    Attributes:
        stage: The stage.
        span: The span.
        as_of: When this was worked out, UTC.
        total: Sums over all runs.
        hourly: Sums by hour, every hour of the span.
        daily: Sums by day, every day of the span.
        volumes: Volumes against the usual.
        compared: Number of earlier spans the usual is the median of.
        usual_clean_share: Clean events by clean and dirty ones in those spans, median.
        reasons: Dirty reasons, most events first.
        tables: Tables that have rows or are known to, by name.
        failed: Runs that failed, newest first.
        slow: Runs that took long, slowest first.
        exports: A row per hour of the span that the histories know, in order.
        cost: An estimate.
        notices: What a person should look at, in sentences that may hold untrusted names.
    """

    stage: str
    span: Span
    as_of: datetime
    total: Tally
    hourly: Mapping[datetime, Tally]
    daily: Mapping[datetime, Tally]
    volumes: tuple[Volume, ...]
    compared: int
    usual_clean_share: float | None
    reasons: tuple[Reason, ...]
    tables: tuple[TableState, ...]
    failed: tuple[RunRecord, ...]
    slow: tuple[SlowRun, ...]
    exports: tuple[SlotHistory, ...]
    cost: Cost
    notices: tuple[str, ...] = ()

    @property
    def whole_exports(self) -> int:
        """Number of hours whose export came whole."""
        return sum(row.delivered and not row.missing for row in self.exports)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the span."""
        return not any(self.total.outcomes.values()) and not self.exports

    def volume(self, name: str) -> Volume:
        """Return a volume by its name."""
        return next(volume for volume in self.volumes if volume.name == name)
