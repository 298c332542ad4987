"""Records of runs as a busy stage leaves them, the histories of its exports, and digests of both."""

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.event_files.convert import digest as event_files
from sluice.lake.object_store import iso
from sluice.observability.digest.build import digest_without_sections, with_sections
from sluice.observability.digest.model import Digest
from sluice.observability.digest.periods import Period
from sluice.pipelines import PIPELINES
from sluice.runs.model import RunRecord, Step
from sluice.vendor_exports.completeness.report import digest as vendor_exports
from sluice.vendor_exports.completeness.slot_history import SchemaChange, SlotHistory
from sluice.vendor_exports.delivery.model import Slot

END = datetime(2026, 11, 22, tzinfo=UTC)  # a Sunday's first moment
TABLES = ("HEADLINER_EVENT", "IT_EVENT", "MICROONE_EVENT", "MICROONE_PRED", "SIM_EVENT", "STE_PRED")
EXPECTED = ("Cargo", "Fixture", "Port", "Voyage")


def digest_of(
    stage: str,
    period: Period,
    records: Iterable[RunRecord],
    exports: Iterable[SlotHistory] = (),
    newest: Mapping[str, datetime] | None = None,
    now: datetime = END,
) -> Digest:
    """A digest with the sections of both pipelines."""
    digest = digest_without_sections(stage, period, records, PIPELINES, now)
    sections = [event_files.section_of(digest, newest or {}), vendor_exports.section_of(digest, exports)]
    return with_sections(digest, sections)


def run(at: datetime, kind: str = "convert", outcome: str = "converted", **more: Any) -> RunRecord:
    """A record; ten seconds unless others are given."""
    seconds = more.pop("seconds", 10.0)
    given = {"subject": f"{at:%Y%m%dT%H%M%SZ}", "started_by": "schedule", **more}
    return RunRecord(
        id=f"{kind}-{at:%Y%m%dT%H%M%SZ}-{outcome[:4]}",
        kind=kind,
        outcome=outcome,
        started_at=iso(at),
        ended_at=iso(at + timedelta(seconds=seconds)),
        seconds=seconds,
        **given,
    )


def conversion(at: datetime, clean: int = 100, bad: int = 2, table: str = TABLES[0], **more: Any) -> RunRecord:
    """A conversion of one table's events; `counts` among `more` are the others than usual."""
    counts = {
        "files": max(1, clean // 25),
        "events": clean,
        "dirty": bad,
        "unrelated": 1,
        "rows": clean,
        "bytes": 1000 * (clean + bad),
        "parquet_files": 1,
        "parquet_bytes": 100 * clean,
        "unknown_members": 0,
        **more.pop("counts", {}),
    }
    given: dict[str, Any] = {
        "counts": counts,
        "rows": {table: clean} if clean else {},
        "dirty": {table: {"RULE_BROKEN": bad}} if bad else {},
        "steps": (Step("Plan", 1.0), Step("Convert", 6.0), Step("Commit", 1.5), Step("Profile", 1.5)),
    }
    return run(at, **{**given, **more})


def busy_stage(end: datetime, days: int, seed: int = 1) -> list[RunRecord]:
    """Quarter-hourly conversions and hourly exports of so many days: more by day, less at weekends, some failing."""
    return list(_runs(end, days, random.Random(seed)))


def _runs(end: datetime, days: int, chance: random.Random) -> Iterator[RunRecord]:
    start = end - timedelta(days=days)
    for quarter in range(days * 96):
        at = start + timedelta(minutes=15 * quarter, seconds=chance.randrange(5))
        yield _conversion(at, chance, (end - at).days)
        if at.minute == 0:
            yield _export(at, chance)


def _conversion(at: datetime, chance: random.Random, days_ago: int) -> RunRecord:
    crowd = (0.25 if at.weekday() > 4 else 1.0) * (0.2 + max(0.0, 1 - abs(at.hour - 13) / 9))
    clean = int(crowd * chance.uniform(250, 420))
    if chance.random() < 0.003:
        cause = "States.TaskFailed: convert_batch timed out after 300 s"
        return run(at, outcome="failed", seconds=chance.uniform(200, 400), cause=cause, failed_step="Convert")
    if clean < 20:
        return run(at, outcome="nothing_to_do", seconds=1.2, steps=(Step("Plan", 0.8),))
    shares = [chance.random() for _ in TABLES]
    rows = {table: int(clean * share / sum(shares)) for table, share in zip(TABLES, shares, strict=True)}
    flood = 12 if days_ago == 2 and at.hour in {9, 10} else 1
    reasons = {"RULE_BROKEN": flood * chance.randrange(8), "NO_CONTRACT": chance.randrange(4)}
    if days_ago < 3:
        reasons["TRUNCATED_GZIP"] = chance.randrange(2)
    table = chance.choice(TABLES)
    dirty = {table: {reason: count for reason, count in reasons.items() if count}, "-": {"NOT_AN_EVENT": 1}}
    wait = chance.choice([1, 1, 1, 1.3]) * (9 if chance.random() < 0.002 else 1)
    steps = (
        Step("Plan", 1.1),
        Step("Convert", 7 * wait),
        Step("Commit", 1.6),
        Step("Profile", 2.1),
        Step("Record", 0.4),
    )
    events = sum(rows.values())
    counts = {
        "unrelated": chance.randrange(6),
        "parquet_files": len(rows),
        "unknown_members": 40 if days_ago == 1 and at.hour == 15 else 0,
        "media_missing": chance.randrange(2),
    }
    return conversion(
        at,
        events,
        sum(sum(found.values()) for found in dirty.values()),
        counts=counts,
        rows=rows,
        dirty=dirty,
        steps=steps,
        seconds=sum(step.seconds for step in steps),
    )


def _export(at: datetime, chance: random.Random) -> RunRecord:
    lost = chance.random() < 0.01
    counts = {"promised": 300, "copied": 299 if lost else 300, "refetched": chance.randrange(4), "missing": int(lost)}
    steps = (Step("Trigger", 4.0), Step("Wait", 1100.0 * chance.uniform(0.8, 1.2)), Step("Copy", 95.0))
    return run(
        at,
        "export",
        "incomplete" if lost else "delivered",
        subject=f"{at:%Y%m%d-%H}",
        seconds=sum(step.seconds for step in steps),
        counts={**counts, "bytes": int(52e6 * chance.uniform(0.9, 1.1))},
        steps=steps,
        cause="1 of 300 files is missing" if lost else "",
    )


def hour(at: datetime, missing: tuple[str, ...] = (), *, delivered: bool = True) -> SlotHistory:
    """An hour of the histories."""
    return SlotHistory(
        slot=Slot(at),
        delivered=delivered,
        files=300 * delivered,
        size=52_000_000 * delivered,
        expected=EXPECTED,
        missing=missing if delivered else EXPECTED,
        unexpected=(),
        change=SchemaChange(),
        usual_size=52_000_000,
    )


def exported(end: datetime, days: int) -> list[SlotHistory]:
    """The hours of so many days: one without a delivery, two that lack a table."""
    hours = [end - timedelta(hours=ago) for ago in range(days * 24, 0, -1)]
    rows = [hour(at) for at in hours]
    rows[-5] = hour(hours[-5], delivered=False)
    rows[-9], rows[-10] = (hour(hours[ago], ("Port",)) for ago in (-9, -10))
    return rows
