"""The digest, and the sections that pipelines add to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from sluice.html_report.page import Topic
from sluice.lake.object_store import ObjectStore
from sluice.observability.cost import Cost, cost_of
from sluice.observability.digest.periods import Period, PeriodKind
from sluice.observability.pipeline import Pipeline, Volume, kinds_of
from sluice.observability.run_totals import RunTotals
from sluice.runs.model import RunKind, RunRecord

VOLUME_LOW, VOLUME_HIGH = 0.5, 2.0
"""Volume against the usual one: within, it is ordinary."""


@dataclass(frozen=True, slots=True)
class ComparedVolume:
    """A volume against the usual: `name` in documents, `title` on pages; no `usual` where there is none yet."""

    name: str
    title: str
    value: int
    usual: float | None
    watched: bool

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the usual; None where that is none or 0."""
        return self.value / self.usual if self.usual else None


@dataclass(frozen=True, slots=True)
class SlowRun:
    """A run that took several times the `usual` seconds of its kind and outcome."""

    run: RunRecord
    usual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A pipeline's part of a digest.

    Attributes:
        cards: Headline figures of the page (`sluice.html_report.page.figure_card`).
        topics: Parts of the page; those of the same title are shown as one.
        lines: Lines of the message, by their titles.
        paragraphs: Further paragraphs of the message.
        broken: Notices of what does not work, in sentences that may hold untrusted names.
        odd: Notices of what is unlike the usual.
        members: Members of the JSON document.
        is_empty: Whether it knows nothing of the period besides its runs.
    """

    cards: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    paragraphs: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)
    is_empty: bool = True


@dataclass(frozen=True, slots=True)
class SectionSources:
    """Sources of a section: the lake bucket, DynamoDB, and the settings that its pipeline's stack gives it."""

    lake: ObjectStore
    dynamodb: Any  # a client of boto3
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A period of a stage in figures.

    Attributes:
        stage: The stage.
        period: The period.
        as_of: When this was made, UTC.
        pipelines: The pipelines whose runs it counts.
        total: Sums over all runs.
        before: Sums over the runs of the time before: a reason that they lack is new.
        earlier: Sums over the earlier periods that it is compared with; a young stage has none.
        hourly: Sums by hour, every hour of the period.
        parts: Sums by hour for a day, else by day.
        failed: Runs that failed, newest first.
        slow: Runs that took long, slowest first.
        sections: What the pipelines add.
        notices: What a person should look at, broken things first.
    """

    stage: str
    period: Period
    as_of: datetime
    pipelines: tuple[Pipeline, ...]
    total: RunTotals
    before: RunTotals
    earlier: tuple[RunTotals, ...]
    hourly: Mapping[datetime, RunTotals]
    parts: Mapping[datetime, RunTotals]
    failed: tuple[RunRecord, ...]
    slow: tuple[SlowRun, ...]
    sections: tuple[Section, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def kinds(self) -> dict[str, RunKind]:
        """Kinds of runs, by their names."""
        return kinds_of(self.pipelines)

    @property
    def is_daily(self) -> bool:
        """True for the digest of one day."""
        return self.period.kind is PeriodKind.DAY

    @property
    def is_empty(self) -> bool:
        """True if nothing is known of the period."""
        return not any(self.total.outcomes.values()) and all(section.is_empty for section in self.sections)

    @property
    def cost(self) -> Cost:
        """An estimate of what its runs cost."""
        return cost_of(self.total, self.pipelines)

    @property
    def volumes(self) -> tuple[ComparedVolume, ...]:
        """Volumes against the usual, in order of the pipelines."""
        return tuple(self._compared(volume) for pipeline in self.pipelines for volume in pipeline.volumes)

    def volume(self, name: str) -> ComparedVolume:
        """Return a volume by its name."""
        return next(volume for volume in self.volumes if volume.name == name)

    def usual(self, figure: Callable[[RunTotals], float | None]) -> float | None:
        """Return the median of a figure over the earlier periods that have it."""
        values = [value for totals in self.earlier if (value := figure(totals)) is not None]
        return median(values) if values else None

    def _compared(self, volume: Volume) -> ComparedVolume:
        def count(totals: RunTotals) -> int:
            return totals.count(volume.kind, volume.count)

        return ComparedVolume(volume.name, volume.title, count(self.total), self.usual(count), volume.watched)
