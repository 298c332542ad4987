"""Digests made from what a stage keeps: records of runs in the lake bucket, and what the pipelines' sections read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pkgutil import resolve_name
from statistics import median
from typing import Any

from sluice.lake.object_store import ObjectStore
from sluice.observability.digest.model import VOLUME_HIGH, VOLUME_LOW, Digest, Section, SectionSources, SlowRun
from sluice.observability.digest.periods import Period, PeriodKind, Window
from sluice.observability.pipeline import Pipeline, kinds_of
from sluice.observability.run_totals import RunTotals
from sluice.runs.model import Result, RunKind, RunRecord
from sluice.runs.records import RunRecords

ENOUGH = 100
"""Of anything, for a ratio to say something."""

_SLOW = 3  # times the usual
_SLOW_SECONDS = 30.0  # a run of less is not slow
_FEW_RUNS = 5  # that do not tell what is usual
_LISTED = 20
_PUNCTUAL = timedelta(hours=2)  # machines run hourly: a time whose first run is later is not known from its begin


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSources:
    """The lake bucket and DynamoDB of a stage, and the settings of its pipelines' sections, by pipeline."""

    stage: str
    pipelines: tuple[Pipeline, ...]
    lake: ObjectStore
    dynamodb: Any  # a client of boto3
    settings: Mapping[str, Mapping[str, str]]

    def digest(self, period: Period, now: datetime) -> Digest:
        """Return the digest of a period. Raises ObjectStoreError."""
        records = RunRecords(self.lake, kinds_of(self.pipelines)).between(*period.known)
        digest = digest_without_sections(self.stage, period, records, self.pipelines, now)
        return with_sections(digest, [self._section(each, digest) for each in self.pipelines if each.digest_section])

    def _section(self, pipeline: Pipeline, digest: Digest) -> Section:
        sources = SectionSources(self.lake, self.dynamodb, self.settings.get(pipeline.name, {}))
        section: Section = resolve_name(pipeline.digest_section)(digest, sources)
        return section


def digest_without_sections(
    stage: str, period: Period, records: Iterable[RunRecord], pipelines: Sequence[Pipeline], now: datetime
) -> Digest:
    """Return what the records of runs say; they may be in any order, those outside of `period.known` do not matter."""
    kinds = kinds_of(pipelines)
    known = sorted((run for run in records if period.known.holds(run.start)), key=lambda run: (run.started_at, run.id))
    runs = [run for run in known if period.window.holds(run.start)]
    failed = [
        run for run in reversed(runs) if run.kind in kinds and kinds[run.kind].result(run.outcome) is Result.FAILED
    ]
    hourly = _sums_by(runs, period, kinds, daily=False)
    return Digest(
        stage=stage,
        period=period,
        as_of=now,
        pipelines=tuple(pipelines),
        total=RunTotals.of(runs, kinds),
        before=_sums(known, period.before, kinds),
        earlier=tuple(_earlier(period, known, kinds)),
        hourly=hourly,
        parts=hourly if period.kind is PeriodKind.DAY else _sums_by(runs, period, kinds, daily=True),
        failed=tuple(failed[:_LISTED]),
        slow=_slow(runs, known),
    )


def with_sections(digest: Digest, sections: Iterable[Section]) -> Digest:
    """Return a digest with the pipelines' sections and with the notices of both."""
    sections = tuple(sections)
    broken = [*_failures(digest), *_absences(digest), *(notice for each in sections for notice in each.broken)]
    odd = [*(notice for each in sections for notice in each.odd), *_odd_volumes(digest)]
    return replace(digest, sections=sections, notices=(*broken, *odd))


def _sums(runs: Iterable[RunRecord], window: Window, kinds: Mapping[str, RunKind]) -> RunTotals:
    return RunTotals.of([run for run in runs if window.holds(run.start)], kinds)


def _earlier(period: Period, known: Sequence[RunRecord], kinds: Mapping[str, RunKind]) -> Iterator[RunTotals]:
    """Sum up the earlier periods that are known whole; `known` begins with the oldest run."""
    for window in period.earlier if known else ():
        totals = _sums(known, window, kinds)
        if known[0].start < window.start + _PUNCTUAL and any(totals.outcomes.values()):
            yield totals


def _sums_by(
    runs: Iterable[RunRecord], period: Period, kinds: Mapping[str, RunKind], *, daily: bool
) -> dict[datetime, RunTotals]:
    """Sum up every day, else every hour, of a period."""

    def begin(moment: datetime) -> datetime:
        return moment.replace(hour=0 if daily else moment.hour, minute=0, second=0, microsecond=0)

    parts: dict[datetime, list[RunRecord]] = {begin(hour): [] for hour in period.hours}
    for run in runs:
        parts[begin(run.start)].append(run)
    return {start: RunTotals.of(part, kinds) for start, part in parts.items()}


def _slow(runs: Iterable[RunRecord], known: Sequence[RunRecord]) -> tuple[SlowRun, ...]:
    durations: dict[tuple[str, str], list[float]] = {}
    for run in known:
        durations.setdefault((run.kind, run.outcome), []).append(run.seconds)
    usual = {key: median(seconds) for key, seconds in durations.items() if len(seconds) >= _FEW_RUNS}
    measured = [SlowRun(run, usual[run.kind, run.outcome]) for run in runs if (run.kind, run.outcome) in usual]
    slow = [each for each in measured if each.run.seconds > max(_SLOW * each.usual, _SLOW_SECONDS)]
    return tuple(sorted(slow, key=lambda each: (-each.run.seconds, each.run.id))[:_LISTED])


def _failures(digest: Digest) -> Iterator[str]:
    for name, kind in digest.kinds.items():
        if failed := digest.total.failed(name):
            yield f"{failed:,} of {digest.total.runs(name):,} {kind.title} did not succeed"


def _absences(digest: Digest) -> Iterator[str]:
    for name, kind in digest.kinds.items():
        usual = digest.usual(lambda totals, name=name: totals.runs(name))  # type: ignore[misc]
        if kind.scheduled and usual and not digest.total.runs(name):
            yield f"There were no {kind.title}; {usual:,.0f} are usual"


def _odd_volumes(digest: Digest) -> Iterator[str]:
    for volume in digest.volumes:
        enough = volume.watched and max(volume.value, volume.usual or 0) >= ENOUGH
        if enough and volume.ratio is not None and not VOLUME_LOW <= volume.ratio <= VOLUME_HIGH:
            yield f"{volume.title}: {volume.ratio:,.2f} times the usual"
