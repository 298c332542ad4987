"""The functions of the search, called as Lambda does it."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request

import pytest

from sluice.search.indices import index_template, saved_objects
from sluice.search.pending import PENDING_PREFIX, mark_again
from tests.platform.integration import search_server as faults
from tests.platform.integration.search_server import SearchServer, search_server
from tests.support.lambda_context import Context
from tests.support.lambda_handlers import Handler, emitted, load_handler
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage
from tests.support.sample_events import body, broken, event

Answers = list[dict[str, Any]]
"""Answers that CloudFormation gets."""

ALIASES = ("dvault_logs_prod", "event_file_logs_prod")
STACK = {
    "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Sluice-prd-EventFiles/1",
    "RequestId": "2",
    "LogicalResourceId": "SearchInstalled",
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchServer]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with search_server() as server:
        yield server


def environment(server: SearchServer) -> dict[str, str]:
    return {
        "STAGE": "prd",
        "SEARCH_URL": server.url,
        "BOARDS_URL": server.boards_url,
        "SEARCH_SERVICE": "aoss",
        "SEARCH_ROLES": "sluice-prd-load-search and sluice-prd-install-search",
        "HOLD_MINUTES": "0",
        "RETENTION_DAYS": "3650",
    }


@pytest.fixture
def load_search(server: SearchServer, moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Handler:
    assert moto_stage
    return load_handler("load_search", monkeypatch, **environment(server))


@pytest.fixture
def install_search(server: SearchServer, monkeypatch: pytest.MonkeyPatch) -> Handler:
    return load_handler("install_search", monkeypatch, **environment(server))


def request(kind: str) -> dict[str, Any]:
    """A request of CloudFormation."""
    return {**STACK, "RequestType": kind, "ResponseURL": "https://stack.example/?X-Amz-Signature=secret"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    found: Answers = []

    def urlopen(put: Request, timeout: float) -> AbstractContextManager[None]:
        assert (put.method, put.full_url) == ("PUT", "https://stack.example/?X-Amz-Signature=secret")
        assert put.headers == {"Content-type": ""}, "the signature of the URL allows none"
        assert timeout
        found.append(json.loads(put.data))  # type: ignore[arg-type]
        return nullcontext()

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return found


def converted(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch, searched: str) -> str:
    """Convert two clean events and a dirty one up to the published profile; return the run's id."""
    moto_stage.deliver(moto_stage.put("a", body(event("MICROONE_EVENT", 1), event("STE_PRED", 2), broken(1))))
    with moto_stage.execution("execution"):
        planned = moto_stage.plan("execution")
        moto_stage.convert_batches(planned)
        moto_stage.commit(planned)
        run = load_handler("profile_run", monkeypatch, SEARCHED=searched)({"plan_key": planned.plan_key})
    return str(run["run_id"])


@pytest.fixture
def run_id(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run whose profile is to be loaded."""
    return converted(moto_stage, monkeypatch, "yes")


def metrics(printed: str) -> dict[str, Any]:
    return {name: value for line in emitted(printed) for name, value in line.items()}


def test_documents_hold_no_values_of_events(server: SearchServer, load_search: Handler, run_id: str) -> None:
    server.templates = {alias: index_template(alias) for alias in ALIASES}
    assert load_search({}) == {"runs": 1, "documents": 3, "waiting": 0}
    clean, prediction = server.all_documents(ALIASES[1]), server.all_documents(ALIASES[0])
    (passed, failed) = sorted(clean.values(), key=lambda document: not document["passed"])
    assert {document["workflow_run_id"] for document in (passed, failed)} == {run_id}
    assert passed["errors"] == []
    assert failed["errors"]
    assert all(error.keys() == {"reason", "pointer"} for error in failed["errors"])
    assert [document["service_type"] for document in prediction.values()] == ["PREDICTION"]


def test_a_stage_without_search_leaves_no_marker(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    converted(moto_stage, monkeypatch, "")
    assert not objects_of(LAKE, PENDING_PREFIX)


def test_the_marker_is_there_before_the_run_is_closed(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_stage.calls.record() as operations:
        run_id = converted(moto_stage, monkeypatch, "yes")
    assert operations[-3:] == ["UpdateTable", "PutObject", "DeleteItem"], "the log, the marker, the end of the run"
    (marker,) = objects_of(LAKE, PENDING_PREFIX).values()
    assert json.loads(marker)["run_id"] == run_id


@pytest.mark.usefixtures("run_id")
def test_a_failed_load_is_counted_and_made_up_for_the_next_time(
    server: SearchServer,
    load_search: Handler,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    capsys.readouterr()
    server.faults = [faults.status(503)] * 6
    assert load_search({}) == {"runs": 0, "documents": 0, "waiting": 1}
    assert server.faults == []
    assert metrics(capsys.readouterr().out)["SearchFailed"] == [1.0]
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert vars(line)["error"].startswith("bulk: status 503")
    assert load_search({}) == {"runs": 1, "documents": 3, "waiting": 0}
    assert "SearchFailed" not in metrics(capsys.readouterr().out)


@pytest.mark.usefixtures("run_id")
def test_a_call_ends_before_lambda_cuts_it_off(load_search: Handler, server: SearchServer) -> None:
    assert load_search({}, Context(milliseconds=[75_000])) == {"runs": 0, "documents": 0, "waiting": 1}
    assert server.requests == []
    assert len(objects_of(LAKE, PENDING_PREFIX)) == 1


@pytest.mark.usefixtures("run_id")
def test_the_last_days_can_be_loaded_again(moto_stage: MotoStage, load_search: Handler, server: SearchServer) -> None:
    load_search({})
    before, server.documents = server.documents, {name: {} for name in server.documents}
    assert load_search({"reload_days": 1})["documents"] == 3
    assert server.documents == before
    assert mark_again(moto_stage.lake, datetime.now(UTC) + timedelta(days=1)) == 0


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_installing_is_answered_and_can_be_repeated(
    kind: str, server: SearchServer, install_search: Handler, answers: Answers
) -> None:
    install_search(request(kind))
    first = (dict(server.templates), dict(server.objects), dict(server.indices))
    install_search(request(kind))
    assert (server.templates, server.objects, server.indices) == first
    assert server.templates.keys() == set(ALIASES)
    assert len(server.objects) == len(saved_objects("prd").splitlines())
    for answer in answers:
        assert answer == {
            **STACK,
            "Status": "SUCCESS",
            "Reason": "installed",
            "PhysicalResourceId": "sluice-prd-search",
        }


def test_a_cluster_that_does_not_answer_fails_the_deployment_and_says_what_to_do(
    server: SearchServer, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {**environment(server), "SEARCH_URL": "http://127.0.0.1:9"}
    load_handler("install_search", monkeypatch, **gone)(request("Create"))
    (answer,) = answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The search cluster at http://127.0.0.1:9 did not take")
    assert "template dvault_logs_prod: no answer" in answer["Reason"]
    assert "sluice-prd-load-search and sluice-prd-install-search" in answer["Reason"]


def test_an_unexpected_error_is_answered_too(
    install_search: Handler, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluice.search.indices.index_template", lambda _: 1 / 0)
    install_search(request("Create"))
    assert [answer["Status"] for answer in answers] == ["FAILED"]


def test_installing_waits_for_rights(server: SearchServer, install_search: Handler, answers: Answers) -> None:
    server.refusals = 7
    install_search(request("Create"))
    assert [answer["Status"] for answer in answers] == ["SUCCESS"]


def test_a_removed_stack_spares_the_cluster(server: SearchServer, install_search: Handler, answers: Answers) -> None:
    install_search(request("Delete"))
    assert [answer["Status"] for answer in answers] == ["SUCCESS"]
    assert server.requests == []
