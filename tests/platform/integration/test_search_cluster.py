"""Templates, boards and documents: on the server written for tests, and on a real cluster where there is one.

`SLUICE_OPENSEARCH_URL` is the address of an OpenSearch that takes unsigned requests, such as one in a container with
its security plugin switched off; `SLUICE_DASHBOARDS_URL` that of its Dashboards. Indices of the stage `e2e-test` are
removed from it.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sluice.search.cluster import RefusedError, RetryPolicy
from sluice.search.cluster_opensearch import OpenSearchCluster
from sluice.search.indices import MAPPING, index_template, install, saved_objects
from sluice.search.loading import BulkLoader, Document, documents_of
from tests.platform.integration.search_server import search_server
from tests.platform.unit.search.profiling_logs import (
    BROKEN,
    DVAULTS,
    EVENT_FILES,
    INDICES,
    STAGE,
    Sent,
    profile,
    record,
    records,
    sent_by,
)

REAL = os.environ.get("SLUICE_OPENSEARCH_URL", "")
REAL_BOARDS = os.environ.get("SLUICE_DASHBOARDS_URL", "")
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@dataclass
class Target:
    """A cluster and how to count what is behind an alias."""

    cluster: OpenSearchCluster
    count: Callable[[str], int]
    indices: Callable[[], dict[str, Any]]


def _written() -> Iterator[Target]:
    with search_server() as server:
        yield Target(
            OpenSearchCluster(server.url, server.boards_url, "es"),
            count=lambda alias: len(server.all_documents(alias)),
            indices=lambda: server.indices,
        )


def _real() -> Iterator[Target]:
    if not REAL:
        pytest.skip("no OpenSearch to test against: SLUICE_OPENSEARCH_URL names none")
    cluster = OpenSearchCluster(REAL, REAL_BOARDS or f"{REAL}/_dashboards", "es")
    if not REAL_BOARDS:
        cluster.put_objects = lambda ndjson: None  # type: ignore[method-assign]  # noqa: ARG005

    def count(alias: str) -> int:
        httpx.post(f"{REAL}/{alias}/_refresh").raise_for_status()
        return int(httpx.get(f"{REAL}/{alias}/_count").json()["count"])

    def clean() -> None:
        for name in cluster.indices(f"*_logs_{STAGE}-*"):
            cluster.delete_index(name)

    clean()
    yield Target(cluster, count, lambda: dict(httpx.get(f"{REAL}/*_logs_{STAGE}-*").json()))
    clean()


@pytest.fixture(params=[_written, _real], ids=["written for tests", "real"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    yield from request.param()


def prepare(target: Target) -> None:
    install(target.cluster, INDICES, STAGE, _retries(), NOW)


def _retries() -> RetryPolicy:
    return RetryPolicy(lambda: 60, attempts=3, first_seconds=0.1)


def load(target: Target, rows: list[dict[str, Any]], *more: Document) -> Sent:
    return sent_by(BulkLoader(target.cluster, _retries()), [*more, *documents_of(profile(rows), INDICES)])


def test_templates_make_the_indices_that_documents_go_to(target: Target) -> None:
    prepare(target)
    load(target, records(4))
    indices = target.indices()
    assert indices.keys() == {
        f"{alias}-{month}" for alias in (DVAULTS, EVENT_FILES) for month in ("2026.01", "2026.02")
    }
    for name, index in indices.items():
        assert index["aliases"].keys() == {name.rpartition("-")[0]}
        properties = index["mappings"]["properties"]
        assert properties.keys() == MAPPING["properties"].keys()
        assert properties["errors"]["properties"] == MAPPING["properties"]["errors"]["properties"]


def test_loading_again_adds_nothing_and_installing_again_keeps_it(target: Target) -> None:
    prepare(target)
    rows = [*records(100), record(100, passed=False, errors=BROKEN)]
    for _ in range(2):
        assert load(target, rows) == (101, {})
        prepare(target)
        assert (target.count(DVAULTS), target.count(EVENT_FILES)) == (51, 50)


def test_documents_that_do_not_fit_are_refused_alone(target: Target, caplog: pytest.LogCaptureFixture) -> None:
    prepare(target)
    wrong = Document(f"{DVAULTS}-2026.01", "wrong", b'{"passed":"a secret of the event"}')
    with caplog.at_level(logging.DEBUG):
        sent = load(target, records(4), wrong, wrong)
    assert (sent.settled, sent.refused.total()) == (6, 2)
    assert "secret" not in caplog.text
    assert (target.count(DVAULTS), target.count(EVENT_FILES)) == (2, 2)


def test_creating_and_removing_an_index_can_be_repeated(target: Target) -> None:
    for repeated in (target.cluster.create_index, target.cluster.delete_index):
        repeated(f"{DVAULTS}-2026.02")
        repeated(f"{DVAULTS}-2026.02")
    assert target.cluster.indices(f"{DVAULTS}-*") == []
    with pytest.raises(RefusedError, match="mapping of nobody"):
        target.cluster.put_mapping("nobody", {"properties": {}})


def test_saved_objects_replace_those_before_and_need_references(target: Target, request: pytest.FixtureRequest) -> None:
    if "real" in request.node.name and not REAL_BOARDS:
        pytest.skip("no OpenSearch Dashboards to test against: SLUICE_DASHBOARDS_URL names none")
    for _ in range(2):
        target.cluster.put_objects(saved_objects(STAGE))
    (*_, board) = saved_objects("another").splitlines()
    with pytest.raises(RefusedError, match="not all objects were imported: missing_references"):
        target.cluster.put_objects(board)


def test_a_template_replaces_the_one_before(target: Target) -> None:
    prepare(target)
    target.cluster.put_template(DVAULTS, {**index_template(DVAULTS), "template": {}})
    target.cluster.create_index(f"{DVAULTS}-2027.01")
    assert target.indices()[f"{DVAULTS}-2027.01"]["aliases"] == {}
