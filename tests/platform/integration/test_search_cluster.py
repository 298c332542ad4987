"""Templates, boards and documents: on the server written for tests, and on a node of OpenSearch by `make referees`."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
from tests.referees.opensearch.node import Node

NOW = datetime(2026, 2, 1, tzinfo=UTC)


@dataclass
class Target:
    """A cluster and how to count what is behind an alias."""

    cluster: OpenSearchCluster
    count: Callable[[str], int]
    indices: Callable[[], dict[str, Any]]


@pytest.fixture(params=["written for tests", pytest.param("real", marks=pytest.mark.referee("OpenSearch"))])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with search_server() as server:
        if request.param == "real":
            node: Node = request.getfixturevalue("opensearch")
            cluster = OpenSearchCluster(node.url, server.boards_url, "es")  # its Dashboards are in no registry
            yield Target(cluster, count=node.count, indices=lambda: node.indices(f"*_logs_{STAGE}-*"))
        else:
            yield Target(
                OpenSearchCluster(server.url, server.boards_url, "es"),
                count=lambda alias: len(server.all_documents(alias)),
                indices=lambda: server.indices,
            )


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


def test_saved_objects_replace_those_before_and_need_references() -> None:
    with search_server() as server:
        cluster = OpenSearchCluster(server.url, server.boards_url, "es")
        for _ in range(2):
            cluster.put_objects(saved_objects(STAGE))
        (*_, board) = saved_objects("another").splitlines()
        with pytest.raises(RefusedError, match="not all objects were imported: missing_references"):
            cluster.put_objects(board)


def test_a_template_replaces_the_one_before(target: Target) -> None:
    prepare(target)
    target.cluster.put_template(DVAULTS, {**index_template(DVAULTS), "template": {}})
    target.cluster.create_index(f"{DVAULTS}-2027.01")
    assert target.indices()[f"{DVAULTS}-2027.01"]["aliases"] == {}
