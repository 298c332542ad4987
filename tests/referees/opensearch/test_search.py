"""The profiling search on a node of OpenSearch: functions, failures of a real node, and what the board asks for."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sluice.search.cluster import BusyError
from sluice.search.cluster_opensearch import OpenSearchCluster
from sluice.search.indices import install, monthly
from sluice.search.loading import BulkLoader, Document, SearchLoader, documents_of
from sluice.search.pending import PendingRun, mark_pending
from tests.platform.integration.search_server import SearchServer, search_server
from tests.platform.integration.test_search_functions import ALIASES, Answers, answers, converted, environment, request
from tests.platform.unit.search.profiling_logs import (
    BROKEN,
    DVAULTS,
    EVENT_FILES,
    INDICES,
    JANUARY,
    STAGE,
    profile,
    profile_key,
    record,
    records,
    retries,
    sent_by,
)
from tests.referees.opensearch.board import figures, patterns, visualizations
from tests.referees.opensearch.node import MAX_BYTES, Node
from tests.support.lambda_handlers import load_handler
from tests.support.moto.stage import MotoStage

__all__ = ["answers"]  # a fixture

pytestmark = pytest.mark.referee("OpenSearch")

MONTH = f"{DVAULTS}-2026.01"


@pytest.fixture
def boards() -> Iterator[SearchServer]:
    """Dashboards, which are in no registry, as they are written for tests."""
    with search_server() as server:
        yield server


@pytest.fixture
def cluster(opensearch: Node, boards: SearchServer) -> OpenSearchCluster:
    """A cluster in which everything is installed."""
    cluster = OpenSearchCluster(opensearch.url, boards.boards_url, "es")
    install(cluster, INDICES, STAGE, retries(), JANUARY)
    return cluster


@pytest.fixture
def loader(cluster: OpenSearchCluster) -> BulkLoader:
    return BulkLoader(cluster, retries())


def test_the_functions_install_and_load(
    opensearch: Node,
    boards: SearchServer,
    moto_stage: MotoStage,
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = environment(boards) | {"SEARCH_URL": opensearch.url}
    for kind in ("Create", "Update"):
        load_handler("install_search", monkeypatch, **variables)(request(kind))
    assert [answer["Status"] for answer in answers] == ["SUCCESS", "SUCCESS"]
    converted(moto_stage, monkeypatch, "yes")
    load_search = load_handler("load_search", monkeypatch, **variables)
    assert load_search({}) == {"runs": 1, "documents": 3, "waiting": 0}
    assert load_search({"reload_days": 1})["documents"] == 3
    assert [opensearch.count(alias) for alias in ALIASES] == [1, 2]


def test_a_request_that_is_too_large_is_cut_and_only_what_is_too_large_itself_is_refused(
    opensearch: Node, loader: BulkLoader
) -> None:
    long = [Document(MONTH, str(number), json.dumps({"notes": "x" * 1000}).encode()) for number in range(1500)]
    huge = Document(MONTH, "huge", json.dumps({"notes": "x" * MAX_BYTES}).encode())
    assert sum(len(each.lines) for each in long) > MAX_BYTES
    assert sent_by(loader, [*long, huge]) == (1501, {"request_too_large": 1})
    assert opensearch.count(DVAULTS) == 1500


def test_a_node_whose_disk_is_full_gets_everything_the_next_time(opensearch: Node, loader: BulkLoader) -> None:
    rows = profile(records(4))
    for full in (True, None):
        settings = {"index.blocks.read_only_allow_delete": full}  # what a node does at its flood stage
        opensearch.ask("PUT", f"{DVAULTS}*/_settings", settings)
        if full:
            with pytest.raises(BusyError, match="2 documents were put off: cluster_block_exception"):
                sent_by(loader, documents_of(rows, INDICES))
        else:
            assert sent_by(loader, documents_of(rows, INDICES)) == (4, {})
    assert (opensearch.count(DVAULTS), opensearch.count(EVENT_FILES)) == (2, 2)


def test_hostile_values_of_every_field_are_found_or_refused_alone(opensearch: Node, loader: BulkLoader) -> None:
    long = 'ä\u0000"\\\U0001f600' * 20_000
    rows = [record(number, **{name: long}) for number, name in enumerate(("event_id", "event_filename"))]
    rows += [record(2, service_name=long), record(4, errors=json.dumps({"RULE_BROKEN": {f"/{long}": []}}))]
    rows += [
        record(6, timestamp=datetime(9999, 12, 31, tzinfo=UTC)),
        record(8, timestamp=datetime(1, 1, 1, tzinfo=UTC)),
    ]
    for row in rows:
        assert sent_by(loader, documents_of(profile([row | {"workflow_run_id": row["event_id"][:20]}]), INDICES)) == (
            1,
            {},
        )
    assert opensearch.count(DVAULTS) + opensearch.count(EVENT_FILES) == len(rows)


def test_months_past_the_retention_are_removed(
    opensearch: Node, cluster: OpenSearchCluster, moto_stage: MotoStage
) -> None:
    moto_stage.lake.write(profile_key("run"), profile(records(3, run_id="run")))
    mark_pending(moto_stage.lake, PendingRun("run", profile_key("run")))
    for month in (1, 10, 12):
        cluster.create_index(monthly(EVENT_FILES, datetime(2025, month, 1, tzinfo=UTC)))
    cluster.create_index(f"{EVENT_FILES}-notes")
    loader = SearchLoader(
        lake=moto_stage.lake,
        cluster=cluster,
        policy=retries(),
        indices=INDICES,
        hold=timedelta(),
        retention_days=60,
        now=lambda: JANUARY,
    )
    assert loader.run(at_once=True).runs == 1
    kept = {f"{alias}-2026.01" for alias in (DVAULTS, EVENT_FILES)} | {
        f"{EVENT_FILES}-{each}" for each in ("2025.12", "notes")
    }
    assert opensearch.indices("*_logs_*").keys() == kept


def test_the_patterns_say_of_each_field_what_the_node_does(opensearch: Node, cluster: OpenSearchCluster) -> None:
    assert cluster
    for pattern in patterns(STAGE).values():
        found = opensearch.ask("GET", f"{pattern['title']}/_field_caps?fields=*")["fields"]
        for field in json.loads(pattern["fields"]):
            ((kind, able),) = found[field["name"]].items()
            assert [kind] == field["esTypes"]
            assert (able["searchable"], able["aggregatable"]) == (field["searchable"], field["aggregatable"])


def test_every_part_of_the_board_shows_what_was_loaded(opensearch: Node, loader: BulkLoader) -> None:
    rows = [*records(6), *(record(number, passed=False, errors=BROKEN) for number in (6, 8))]
    assert sent_by(loader, documents_of(profile(rows), INDICES)) == (8, {})
    shown = {}
    for alias in (DVAULTS, EVENT_FILES):
        opensearch.count(alias)  # which shows what was written
    for each in visualizations(STAGE):
        answer = opensearch.ask("POST", f"{each.pattern}/_search", each.search)
        shown[each.title.removesuffix(f" ({STAGE})")] = figures(answer["aggregations"])
    noon = "2026-01-31T12:00:00.000Z"
    assert shown == {
        "Events, passed and failed": {"passed": 6, "failed": 2},
        "Files and runs": {"1": 8, "2": 1},
        "Passed and failed over time": {f"{noon} passed": 6, f"{noon} failed": 2},
        "By service and type": {
            "STE passed EVENT": 3,
            "STE failed EVENT": 2,
            "MICROONE passed EVENT": 3,
            "MICROONE failed": 0,
        },
        "Top errors": {"RULE_BROKEN /detail/evaluation/tags/* STE": 2},
        "Files with failed events": {"files/6.json": 1, "files/8.json": 1},
    }
