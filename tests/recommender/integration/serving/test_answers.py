"""The service answers what inference wrote, and every error in one form, on a real PostgreSQL."""

import json
from typing import Any

import psycopg
import pytest
from aws_lambda_powertools import Logger

from sluice.mart.connection_postgres import Connection, Mart
from sluice.recommender.serving.api_http import IAM, build
from sluice.recommender.serving.reading_postgres import PAUSES, PostgresReading
from tests.api_pull.integration.mart.loading import load_day
from tests.recommender.integration.serving.api_gateway import Handler, event_of
from tests.recommender.integration.serving.conftest import GONE, USERS
from tests.support.lambda_context import Context
from tests.support.mart_server import MartServer


def ask(service: Handler, path: str, query: str = "", method: str = "GET") -> tuple[int, Any]:
    answer = service(event_of(method, path, query), Context())
    return answer["statusCode"], json.loads(answer["body"])


def recommended(service: Handler, user: int, query: str = "") -> list[int]:
    status, body = ask(service, f"/users/{user}/recommendations", query)
    assert status == 200
    return [each["track_id"] for each in body["recommendations"]]


def test_recommendations_without_what_went_or_was_heard(service: Handler, inferred: MartServer) -> None:
    _, body = ask(service, "/users/1/recommendations", "limit=1")
    assert body == {
        "user_id": 1,
        "model_version": "m1",
        "snapshot": "2026-11-30",
        "recommendations": [
            {"rank": 3, "track_id": 11, "name": "name 11", "artist": "artist 11", "score": 1 / 3, "popular": False}
        ],
    }
    assert recommended(service, 1) == [11, 12, 13]
    assert recommended(service, 1, "exclude=11&exclude=13&limit=2") == [12]
    assert recommended(service, 1, f"exclude=11,13,{10**30}") == [12]
    assert recommended(service, 3) == [], "inference did not know that user yet"
    load_day(inferred.mart(), "tuesday", [10, 12, 13], USERS, [(1, 1, 10), (1, 2, 12)])
    assert recommended(service, 1) == [13], "11 went, and 12 was heard, since"


def test_similar_tracks_and_the_model(service: Handler) -> None:
    status, body = ask(service, "/tracks/10/similar")
    assert (status, [each["track_id"] for each in body["similar"]]) == (200, [11, 12])
    assert body["similar"][0] == {"rank": 1, "track_id": 11, "name": "name 11", "artist": "artist 11", "score": 0.9}
    assert ask(service, "/tracks/10/similar", "limit=1")[1]["similar"] == body["similar"][:1]
    assert ask(service, "/tracks/13/similar") == (200, {"track_id": 13, "similar": []})
    status, body = ask(service, "/model")
    assert (status, body["model_version"], body["snapshot"]) == (200, "m1", "2026-11-30")
    assert ask(service, "/health") == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "details"),
    [
        ("/users/4/recommendations", "", 404, "unknown", []),
        (f"/users/{2**63}/recommendations", "", 404, "unknown", []),
        (f"/tracks/{GONE}/similar", "", 404, "unknown", []),
        (f"/tracks/{-(10**30)}/similar", "", 404, "unknown", []),
        ("/users/1/recommendations", "limit=0", 422, "wrong_parameter", ["query.limit"]),
        ("/users/1/recommendations", "limit=101&exclude=x", 422, "wrong_parameter", ["query.limit", "query.exclude.0"]),
        ("/users/1/recommendations", "limit=1&limit=2", 422, "wrong_parameter", ["query.limit"]),
        ("/users/1/recommendations", f"exclude={','.join(['1'] * 101)}", 422, "wrong_parameter", ["query.exclude"]),
        ("/users/1'--/recommendations", "", 422, "wrong_parameter", ["path.user_id"]),
        ("/tracks/ten/similar", "", 422, "wrong_parameter", ["path.track_id"]),
        ("/nowhere", "", 404, "no_route", []),
    ],
)
def test_errors_have_one_form(
    service: Handler, path: str, query: str, status: int, code: str, details: list[str]
) -> None:
    answered, body = ask(service, path, query)
    assert (answered, body["code"], [each["where"] for each in body["details"]]) == (status, code, details)
    assert body.keys() == {"code", "message", "details"}
    assert body["message"]


def test_the_service_only_reads(service: Handler) -> None:
    answer = service(event_of("POST", "/model"), Context())
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET")


def test_before_the_first_inference_there_is_no_model(service: Handler, inferred: MartServer) -> None:
    inferred.mart().execute("DELETE FROM current_inference")
    assert ask(service, "/model")[0] == 404
    assert recommended(service, 1) == []


def test_a_mart_that_sleeps_is_said_with_when_to_ask_again(
    inferred: MartServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sluice.aws.runtime.time.sleep", lambda _seconds: None)
    asleep = [True]

    def connect() -> Connection:
        if asleep[0]:
            raise psycopg.OperationalError("connection timeout expired, host secret.example")
        return inferred.connect()()

    service: Handler = build(PostgresReading(Mart(connect, PAUSES)), Logger(), IAM).resolve
    for path in ("/users/1/recommendations", "/tracks/10/similar", "/model", "/health"):
        answer = service(event_of("GET", path), Context())
        assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "5")
        assert "secret" not in answer["body"]
    assert "secret.example" in vars(caplog.records[-1])["cause"], "the log has it"
    asleep[0] = False
    assert recommended(service, 1) == [11, 12, 13]


def test_nothing_of_the_inside_is_answered(inferred: MartServer, caplog: pytest.LogCaptureFixture) -> None:
    with inferred.session() as session:
        session.execute("DROP VIEW models")
    service = build(PostgresReading(inferred.mart()), Logger(), IAM).resolve
    status, body = ask(service, "/model")
    assert (status, body) == (
        500,
        {"code": "failed", "message": "The service failed; its log says why.", "details": []},
    )
    assert "models" in caplog.text


def test_a_request_is_one_read(service: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    query = Mart.query

    def reading(mart: Mart, *of: Any) -> list[tuple[Any, ...]]:
        read.append(of)
        return query(mart, *of)

    monkeypatch.setattr(Mart, "query", reading)
    for path in ("/users/1/recommendations", "/users/4/recommendations", "/tracks/10/similar", "/model", "/health"):
        read.clear()
        ask(service, path)
        assert len(read) == 1


def test_the_page_needs_no_network(service: Handler) -> None:
    answer = service(event_of("GET", "/swagger"), Context())
    assert answer["statusCode"] == 200
    assert 'src="http' not in answer["body"]
    assert "SwaggerUIBundle" in answer["body"]
