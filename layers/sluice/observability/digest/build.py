"""The digest, worked out of the records of runs and the histories of exports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from statistics import median

from sluice.observability.digest.baseline import Usual
from sluice.observability.digest.cost import cost_of
from sluice.observability.digest.highlights import notices_of
from sluice.observability.digest.model import Digest, Reason, SlowRun, TableState, Volume
from sluice.observability.digest.periods import Span
from sluice.observability.digest.run_totals import FAILURES, Tally, started
from sluice.runs.model import Kind, RunRecord
from sluice.vendor_exports.completeness.model import SlotHistory

_VOLUMES = (
    ("files", "Files", Kind.CONVERT, "files"),
    ("clean", "Clean events", Kind.CONVERT, "events"),
    ("dirty", "Dirty events", Kind.CONVERT, "dirty"),
    ("unrelated", "Unrelated events", Kind.CONVERT, "unrelated"),
    ("unknown_members", "Unknown members", Kind.CONVERT, "unknown_members"),
    ("media_missing", "Media not found", Kind.CONVERT, "media_missing"),
    ("bytes", "Bytes of files", Kind.CONVERT, "bytes"),
    ("rows", "Rows", Kind.CONVERT, "rows"),
    ("parquet_bytes", "Bytes of Parquet", Kind.CONVERT, "parquet_bytes"),
    ("export_files", "Export files copied", Kind.EXPORT, "copied"),
    ("export_bytes", "Bytes of exports", Kind.EXPORT, "bytes"),
    ("export_refetched", "Export files fetched again", Kind.EXPORT, "refetched"),
    ("export_missing", "Export files missing", Kind.EXPORT, "missing"),
)
_SLOW = 3  # times the usual
_SLOW_SECONDS = 30.0  # under which nobody waits
_FEW_RUNS = 5  # that do not tell what is usual
_LISTED = 20


def digest_of(
    stage: str,
    span: Span,
    records: Iterable[RunRecord],
    exports: Iterable[SlotHistory],
    newest: Mapping[str, datetime],
    now: datetime,
) -> Digest:
    """Work out the digest.

    Args:
        stage: The stage's name.
        span: What it is about.
        records: The runs of `span.known`, in any order; others do not matter.
        exports: Rows of the histories, likewise.
        newest: Begin of the newest hour a table has rows of, UTC, as far as is known.
        now: The time, UTC.
    """
    known = sorted((run for run in records if span.known.holds(started(run))), key=lambda run: (run.started_at, run.id))
    runs = [run for run in known if span.window.holds(started(run))]
    usual, total = Usual.of(span, [run for run in known if started(run) < span.window.start]), Tally.of(runs)
    before = Tally.of(run for run in known if span.before.holds(started(run)))
    digest = Digest(
        stage=stage,
        span=span,
        as_of=now,
        total=total,
        hourly=_by(runs, span.hours),
        daily=_by(runs, list(dict.fromkeys(map(_day, span.hours))), _day),
        volumes=tuple(
            Volume(name, title, total.count(kind, count), usual.count(kind, count))
            for name, title, kind, count in _VOLUMES
        ),
        compared=len(usual.tallies),
        usual_clean_share=usual.clean_share(),
        reasons=_reasons(total, before),
        tables=_tables(total, usual, newest),
        failed=tuple(run for run in reversed(runs) if run.outcome in FAILURES)[:_LISTED],
        slow=_slow(runs, known),
        exports=tuple(sorted((row for row in exports if span.window.holds(row.slot.hour)), key=lambda row: row.slot)),
        cost=cost_of(total),
    )
    return replace(digest, notices=notices_of(digest, usual))


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _by(
    runs: Iterable[RunRecord], starts: Sequence[datetime], begin: Callable[[datetime], datetime] = _hour
) -> dict[datetime, Tally]:
    parts: dict[datetime, list[RunRecord]] = {start: [] for start in starts}
    for run in runs:
        parts[begin(started(run))].append(run)
    return {start: Tally.of(part) for start, part in parts.items()}


def _reasons(total: Tally, before: Tally) -> tuple[Reason, ...]:
    known = before.runs(Kind.CONVERT) > 0
    reasons = (
        Reason(table, reason, events, before.dirty.get((table, reason), 0) if known else None)
        for (table, reason), events in total.dirty.items()
    )
    return tuple(sorted(reasons, key=lambda reason: (-reason.events, reason.table, reason.reason)))


def _tables(total: Tally, usual: Usual, newest: Mapping[str, datetime]) -> tuple[TableState, ...]:
    names = {*total.rows, *newest, *(table for tally in usual.tallies for table in tally.rows)}
    return tuple(
        TableState(name, total.rows.get(name, 0), usual.rows(name), newest.get(name)) for name in sorted(names)
    )


def _slow(runs: Iterable[RunRecord], known: Sequence[RunRecord]) -> tuple[SlowRun, ...]:
    durations: dict[tuple[Kind, str], list[float]] = {}
    for run in known:
        durations.setdefault((run.kind, run.outcome), []).append(run.seconds)
    usual = {key: median(seconds) for key, seconds in durations.items() if len(seconds) >= _FEW_RUNS}
    measured = [SlowRun(run, usual[run.kind, run.outcome]) for run in runs if (run.kind, run.outcome) in usual]
    slow = [each for each in measured if each.run.seconds > max(_SLOW * each.usual, _SLOW_SECONDS)]
    return tuple(sorted(slow, key=lambda each: (-each.run.seconds, each.run.id))[:_LISTED])
