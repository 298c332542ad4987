"""The bulk loader against an HTTP server that answers as the bulk API does."""

from collections.abc import Iterator, Sequence

import pytest

from sluice.search.cluster import BusyError, RefusedError
from sluice.search.loading import BulkLoader, Document, documents_of
from tests.platform.integration import search_server as faults
from tests.platform.integration.search_server import Fault, SearchServer, search_server
from tests.platform.unit.search.profiling_logs import (
    DVAULTS,
    EVENT_FILES,
    INDICES,
    Sent,
    cluster_at,
    profile,
    records,
    retries,
    sent_by,
)

COUNT = 10
DOCUMENTS = list(documents_of(profile(records(COUNT)), INDICES))
HELD = {document.id for document in DOCUMENTS}


@pytest.fixture
def server() -> Iterator[SearchServer]:
    with search_server(DVAULTS, EVENT_FILES) as server:
        yield server


def send(
    server: SearchServer, documents: Sequence[Document] = DOCUMENTS, timeout_seconds: float = 0.5, **limits: int
) -> Sent:
    return sent_by(BulkLoader(cluster_at(server.url, timeout_seconds=timeout_seconds), retries(), **limits), documents)


def held(server: SearchServer) -> set[str]:
    return {id_ for alias in (DVAULTS, EVENT_FILES) for id_ in server.all_documents(alias)}


def test_requests_are_signed_for_the_service(server: SearchServer) -> None:
    for service in ("es", "aoss"):
        server.signatures.clear()
        sent_by(BulkLoader(cluster_at(server.url, service), retries()), DOCUMENTS)
        (found,) = server.signatures
        assert found.startswith("AWS4-HMAC-SHA256 Credential=test/")
        assert f"/us-east-1/{service}/" in found


def test_batches_keep_to_count_and_bytes(server: SearchServer) -> None:
    send(server, max_documents=4)
    assert server.bulks == [4, 4, 2]
    server.bulks.clear()
    size = max(len(document.lines) for document in DOCUMENTS)
    send(server, max_bytes=3 * size)
    assert server.bulks == [3, 3, 3, 1]
    server.bulks.clear()
    send(server, max_bytes=1)
    assert server.bulks == [1] * COUNT, "a document larger than the limit goes alone"


@pytest.mark.parametrize("status", [429, 503])
def test_only_documents_that_were_put_off_are_sent_again(server: SearchServer, status: int) -> None:
    server.put_off = [status]
    assert send(server).settled == COUNT
    assert server.bulks == [COUNT, 1]
    assert held(server) == HELD


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.status(429), id="429"),
        pytest.param(faults.status(502, content="text/html"), id="502 as a page"),
        pytest.param(faults.status(503), id="503"),
        pytest.param(faults.reset, id="reset"),
        pytest.param(faults.cut, id="cut"),
        pytest.param(faults.hang, id="timeout"),
        pytest.param(faults.answered(b"not json"), id="not json"),
        pytest.param(faults.answered({"items": "a secret of the event"}), id="no items"),
        pytest.param(faults.answered({"items": [{"index": {}}] * COUNT}), id="no status"),
        pytest.param(faults.answered({"items": [{"index": {"status": 201}}]}), id="too few items"),
    ],
)
def test_a_passing_error_is_tried_again(server: SearchServer, fault: Fault) -> None:
    timeout = 0.3 if fault is faults.hang else 60
    server.faults = [fault, fault]
    assert send(server, timeout_seconds=timeout).settled == COUNT
    assert held(server) == HELD
    server.faults = [fault] * 4
    with pytest.raises(BusyError) as raised:
        send(server, timeout_seconds=timeout)
    assert server.faults == [], "every attempt was made"
    assert "secret" not in str(raised.value), "errors quote no answer: it may quote documents"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_lasting_error_is_not_tried_again(server: SearchServer, status: int) -> None:
    server.faults = [faults.status(status, "security_exception")]
    with pytest.raises(RefusedError, match=f"status {status}, security_exception"):
        send(server)
    assert server.bulks == []


def test_too_large_a_request_is_halved_and_too_large_a_document_left_out(server: SearchServer) -> None:
    large = Document(f"{DVAULTS}-2026.01", "large", b'{"passed":true,"x":"%b"}' % (b"x" * 2000))
    server.max_bytes = 1500
    sent = send(server, [*DOCUMENTS[:5], large, *DOCUMENTS[5:]])
    assert sent.settled == COUNT + 1
    assert sent.refused == {"request_too_large": 1}
    assert held(server) == HELD
