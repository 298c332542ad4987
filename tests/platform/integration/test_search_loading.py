"""Pending runs into the cluster: oldest first, with every kind of failure."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sluice.search.loading import LoadReport, SearchLoader
from sluice.search.pending import PENDING_PREFIX, REFUSED_PREFIX, PendingRun, mark_pending
from tests.platform.integration import search_server as faults
from tests.platform.integration.search_server import SearchServer, search_server
from tests.platform.unit.search.profiling_logs import (
    DVAULTS,
    EVENT_FILES,
    INDICES,
    JANUARY,
    cluster_at,
    profile,
    profile_key,
    records,
    retries,
)
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage


@pytest.fixture
def server() -> Iterator[SearchServer]:
    with search_server(DVAULTS, EVENT_FILES) as server:
        yield server


def publish(moto_stage: MotoStage, *run_ids: str, events: int = 3) -> None:
    for run_id in run_ids:
        moto_stage.lake.write(profile_key(run_id), profile(records(events, run_id=run_id)))
        mark_pending(moto_stage.lake, PendingRun(run_id, profile_key(run_id)))


def load(
    moto_stage: MotoStage,
    server: SearchServer,
    *,
    hold: timedelta = timedelta(),
    ahead: timedelta = timedelta(),
    retention_days: int = 3650,
    timeout_seconds: float = 0.5,
) -> LoadReport:
    return SearchLoader(
        lake=moto_stage.lake,
        cluster=cluster_at(server.url, timeout_seconds=timeout_seconds),
        policy=retries(),
        indices=INDICES,
        hold=hold,
        retention_days=retention_days,
        now=lambda: datetime.now(UTC) + ahead,
    ).run()


def loaded_runs(server: SearchServer) -> list[str]:
    """The runs of all documents, in the order they came in."""
    found = [each for alias in (DVAULTS, EVENT_FILES) for each in server.all_documents(alias).values()]
    return list(dict.fromkeys(each["workflow_run_id"] for each in found))


def pending() -> list[str]:
    return [key.removeprefix(PENDING_PREFIX) for key in objects_of(LAKE, PENDING_PREFIX)]


def test_what_is_pending_is_loaded_once_oldest_first(moto_stage: MotoStage, server: SearchServer) -> None:
    publish(moto_stage, "run-2", "run-1", "run-3")
    report = load(moto_stage, server)
    assert (report.runs, report.documents, report.waiting, report.failed) == (3, 9, 0, 0)
    assert loaded_runs(server) == ["run-1", "run-2", "run-3"]
    assert pending() == []


def test_a_cluster_that_is_down_gets_everything_the_next_time(moto_stage: MotoStage, server: SearchServer) -> None:
    publish(moto_stage, "run-1", "run-2")
    server.faults = [faults.reset] * 4
    report = load(moto_stage, server)
    assert (report.runs, report.waiting, report.failed) == (0, 2, 2)
    assert report.error.startswith("bulk: no answer")
    assert pending() == ["run-1.json", "run-2.json"]
    publish(moto_stage, "run-3")
    assert load(moto_stage, server).failed == 0
    assert loaded_runs(server) == ["run-1", "run-2", "run-3"]


def test_a_half_loaded_run_resumes(moto_stage: MotoStage, server: SearchServer) -> None:
    publish(moto_stage, "run-1", events=5000)

    def then_fail(handler: faults._Handler) -> None:
        handler.cluster.faults = [faults.status(503)] * 4
        handler.answer(200, {"items": [{"index": {"status": 201}}] * 2000})

    server.faults = [then_fail]
    patient = 30  # thousands of documents take a busy machine more than the moment that is enough elsewhere
    assert load(moto_stage, server, timeout_seconds=patient).documents == 2000
    assert load(moto_stage, server, timeout_seconds=patient).documents == 3000
    assert server.bulks == [2000, 1000]
    assert pending() == []


def test_refused_documents_leave_a_note_and_the_next_run_is_loaded(moto_stage: MotoStage, server: SearchServer) -> None:
    publish(moto_stage, "run-1", "run-2")
    server.make_index(f"{DVAULTS}-2026.01")
    server.indices[f"{DVAULTS}-2026.01"]["mappings"]["properties"]["event_id"] = {"type": "boolean"}
    report = load(moto_stage, server)
    assert (report.runs, report.refused_runs, report.failed) == (2, 2, 2)
    assert report.refused == {"mapper_parsing_exception": 4}
    assert pending() == []
    notes = [json.loads(note) for note in objects_of(LAKE, REFUSED_PREFIX).values()]
    assert [(note["run_id"], note["refused"]) for note in notes] == [
        ("run-1", {"mapper_parsing_exception": 2}),
        ("run-2", {"mapper_parsing_exception": 2}),
    ]


def test_a_run_without_its_profile_is_skipped(moto_stage: MotoStage, server: SearchServer) -> None:
    publish(moto_stage, "run-1", "run-2")
    moto_stage.lake.delete([profile_key("run-1")])
    report = load(moto_stage, server)
    assert (report.runs, report.failed, report.refused) == (2, 1, {"profile_is_gone": 1})
    assert loaded_runs(server) == ["run-2"]


def test_runs_are_held_back_and_loaded_together_so_clusters_sleep(moto_stage: MotoStage, server: SearchServer) -> None:
    publish(moto_stage, "run-1", "run-2")
    hour = timedelta(hours=1)
    assert load(moto_stage, server, hold=hour).waiting == 2
    assert server.requests == []
    assert load(moto_stage, server, hold=hour, ahead=hour).runs == 2


def test_without_pending_runs_no_request_is_sent(moto_stage: MotoStage, server: SearchServer) -> None:
    assert load(moto_stage, server) == LoadReport()
    assert server.requests == []


def test_months_past_the_retention_are_removed(moto_stage: MotoStage, server: SearchServer) -> None:
    publish(moto_stage, "run-1")
    for name in (f"{DVAULTS}-2025.10", f"{DVAULTS}-notes", f"{EVENT_FILES}-2025.11", "others-2020.01"):
        server.make_index(name)
    load(moto_stage, server, retention_days=(datetime.now(UTC) - JANUARY).days + 70)
    kept = {f"{DVAULTS}-notes", f"{DVAULTS}-2026.01", f"{EVENT_FILES}-2025.11", f"{EVENT_FILES}-2026.01"}
    assert server.indices.keys() == kept | {"others-2020.01"}
