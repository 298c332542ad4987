"""The section of the pulls in digests, and what a run's record says of a pull."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.api_pull import digest as section
from sluice.api_pull.metrics import CHECK_SECONDS, EXTRACT_SECONDS
from sluice.api_pull.run_summary import check_state, counts_of, extract_state, measure, summarise, wait_state
from sluice.observability.digest.build import digest_without_sections, with_sections
from sluice.observability.digest.message import document_of, message_of
from sluice.observability.digest.model import Digest, SectionSources
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Period, PeriodKind
from sluice.pipelines import PIPELINES
from sluice.runs.model import FinishedExecution, RunRecord, Step
from tests.platform.unit.digest.sample_runs import run
from tests.support.memory_object_store import MemoryObjectStore

END = datetime(2026, 11, 23, tzinfo=UTC)
NOTHING: dict[str, Any] = {"pages": 0, "rows": 0, "clean": 0, "restarts": 0, "retries": 0, "bytes": 0} | {
    "dirty": {},
    "nulls": {},
    "unknown": {},
    "schema_changes": [],
    "updated_before_created": 0,
}
STEPS = tuple(Step(name, 20.0) for name in ("Begin", extract_state("tracks"), check_state("tracks")))


def pull(at: datetime, outcome: str = "complete", **counts: int) -> RunRecord:
    usual = {"clean_tracks": 1000, "clean_users": 900, "clean_listens": 5000, "memory_mb": 312, "endpoints_complete": 3}
    return run(at, "pull", outcome, counts=usual | counts, steps=STEPS, rows={"TRACKS": 1000, "LISTENS": 5000})


def month(last: dict[str, int]) -> list[RunRecord]:
    days = [END - timedelta(days=back, hours=22) for back in range(1, 28)]
    grown = [
        pull(day, clean_listens=5000 + 20 * at, null_values=at % 7, requests_retried=at % 3)
        for at, day in enumerate(reversed(days))
    ]
    return [*grown, pull(END - timedelta(hours=22), "partial", **last)]


def digest_of(records: list[RunRecord], kind: PeriodKind) -> Digest:
    digest = digest_without_sections("x", Period(kind, END), records, PIPELINES, END)
    sources = SectionSources(MemoryObjectStore(), None, {})
    return with_sections(digest, [section.read_section(digest, sources)])


def test_a_week_shows_every_key_figure_with_its_plot() -> None:
    last = {"endpoints_held": 1, "endpoints_complete": 2, "schema_changes": 2, "endpoint_restarts": 1, "dirty_rows": 40}
    digest = digest_of(month(last), PeriodKind.WEEK)
    page = digest_page(digest).decode()
    for name in ("outcomes", "steps", "volume", "quality", "trouble", "endpoints", "memory"):
        assert f"pull-{name}" in page
    assert document_of(digest)["pulls"]["schema_changes"] == 2
    assert "312 MB" in page, "of memory, the most counts"
    assert any("2 changes of the API's schema" in notice for notice in digest.notices)
    text = message_of(digest, {}).text
    assert "6 of 7 succeeded" in text
    assert "Listens" in text


def test_a_day_far_from_the_usual_is_noticed() -> None:
    digest = digest_of(month({"clean_listens": 900}), PeriodKind.DAY)
    assert any("Listens pulled" in notice or "listens pulled" in notice for notice in digest.notices)


def test_a_period_without_pulls_draws_nothing() -> None:
    digest = digest_of([], PeriodKind.WEEK)
    assert not digest.sections[0].topics
    assert "none ran" in message_of(digest, {}).text


def test_a_record_has_the_figures_of_all_endpoints() -> None:
    endpoints = {
        "tracks": NOTHING | {"status": "complete", "rows": 5, "clean": 4, "dirty": {"null_key": 1}, "nulls": {"id": 1}},
        "users": NOTHING | {"status": "held", "schema_changes": ["Member email is gone"], "unknown": {"mail": 9}},
        "listen_history": NOTHING | {"status": "failed", "restarts": 2},
    }
    counts = counts_of({"endpoints": endpoints})
    found = {name: count for name, count in counts.items() if count}
    assert found == {
        "endpoints_complete": 1,
        "endpoints_held": 1,
        "endpoints_failed": 1,
        "clean_tracks": 4,
        "delivered_rows": 5,
        "dirty_rows": 1,
        "null_values": 1,
        "unknown_members": 9,
        "schema_changes": 1,
        "endpoint_restarts": 2,
    }
    output = {
        "pull": {"pull_id": "p"},
        "result": {
            "status": "partial",
            "counts": counts,
            "clean": {"tracks": 4, "users": 0, "listen_history": 0},
            "dirty": {"tracks": {"null_key": 1}, "users": {}, "listen_history": {}},
            "key": "runs/pulls/p/result.json",
        },
    }
    summary = summarise(FinishedExecution(succeeded=False, input={}, output=output, read=lambda _: b""))
    assert (summary.subject, summary.outcome) == ("p", "partial")
    assert summary.rows == {"TRACKS": 4, "USERS": 0, "LISTENS": 0}
    assert summary.dirty["TRACKS"] == {"null_key": 1}
    busy = FinishedExecution(succeeded=True, input={}, output={"decision": "busy"}, read=lambda _: b"")
    assert summarise(busy).outcome == "skipped"


def test_seconds_by_phase_are_those_of_all_endpoints() -> None:
    names = [extract_state("tracks"), wait_state("users"), extract_state("users"), check_state("users")]
    record = run(END, "pull", "complete", steps=tuple(Step(name, 10.0) for name in names))
    assert measure(record) == {EXTRACT_SECONDS: 30.0, CHECK_SECONDS: 10.0}
