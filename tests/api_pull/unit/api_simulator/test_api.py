"""The API is as the application's: pages, their bounds, errors, the documents that describe it, a key."""

import re
from datetime import datetime
from typing import Any

import httpx
import pytest

from cli.api_simulator.application import Application, Endpoint
from cli.api_simulator.openapi import SCHEMAS, document
from cli.api_simulator.population import Population
from cli.http_server.server import Server
from tests.api_pull.unit.api_simulator import asking

ROWS = dict(zip(Endpoint, SCHEMAS.values(), strict=True))


@pytest.mark.parametrize("endpoint", Endpoint)
def test_pages_hold_all_rows_once(endpoint: Endpoint) -> None:
    application = asking.application()
    first, last, beyond = (asking.page(application, endpoint, number) for number in (1, 4, 5))
    assert list(first) == ["items", "total", "page", "size", "pages"]
    assert [first[name] for name in ("total", "page", "size", "pages")] == [310, 1, 100, 4]
    assert (len(first["items"]), len(last["items"]), beyond["items"], beyond["page"]) == (100, 10, [], 5)
    assert asking.ids(application, endpoint) == list(range(1, 311))
    assert [list(row) for row in first["items"]] == [list(ROWS[endpoint])] * 100
    assert asking.document(asking.answer(application, f"/{endpoint}"))["size"] == 100, "of 100 unless told otherwise"


def test_an_application_without_rows() -> None:
    empty = asking.application(population=Population(tracks=0, users=0, day=3))
    assert asking.page(empty, "tracks") == {"items": [], "total": 0, "page": 1, "size": 100, "pages": 0}


def is_of(kind: dict[str, Any], value: Any) -> bool:
    """Tell whether a value is of a type of the OpenAPI document."""
    if "anyOf" in kind:
        return any(is_of(each, value) for each in kind["anyOf"])
    if kind["type"] == "array":
        return isinstance(value, list) and all(is_of(kind["items"], each) for each in value)
    types: dict[str, type | None] = {"integer": int, "string": str, "null": type(None)}
    return isinstance(value, types[kind["type"]] or object)


@pytest.mark.parametrize("endpoint", Endpoint)
def test_rows_are_as_described(endpoint: Endpoint) -> None:
    rows = asking.page(asking.application(), endpoint)["items"]
    for row in rows:
        assert all(is_of(kind, row[name]) for name, kind in ROWS[endpoint].items())
        for name in ("created_at", "updated_at"):
            assert datetime.fromisoformat(row[name]).tzinfo is None
    if endpoint is Endpoint.TRACKS:
        assert all(re.fullmatch("[0-5][0-9]:[0-5][0-9]", row["duration"]) for row in rows)


@pytest.mark.parametrize(
    ("target", "status", "type_", "where"),
    [
        ("/tracks?page=0", 422, "greater_than_equal", "page"),
        ("/users?size=101", 422, "less_than_equal", "size"),
        ("/users?size=0", 422, "greater_than_equal", "size"),
        ("/listen_history?page=x", 422, "int_parsing", "page"),
    ],
)
def test_parameters_out_of_bounds(target: str, status: int, type_: str, where: str) -> None:
    answer = asking.answer(asking.application(), target)
    (error,) = asking.document(answer)["detail"]
    assert (answer.status, error["type"], error["loc"]) == (status, type_, ["query", where])


def test_other_resources_and_methods() -> None:
    application = asking.application()
    assert asking.answer(application, "/nothing").status == 404
    assert asking.answer(application, "/tracks", "POST").status == 405
    assert asking.document(asking.answer(application, "/openapi.json")) == document()
    assert b"swagger-ui" in b"".join(asking.answer(application, "/docs").chunks)


def test_the_document_describes_what_is_asked() -> None:
    described = document()
    for endpoint in Endpoint:
        operation = described["paths"][f"/{endpoint}"]["get"]
        bounds = {each["name"]: each["schema"] for each in operation["parameters"]}
        assert (bounds["size"]["default"], bounds["size"]["maximum"], bounds["page"]["minimum"]) == (100, 100, 1)
    names = re.findall("#/components/schemas/([A-Za-z_]+)", str(described))
    assert set(names) == set(described["components"]["schemas"])


def test_a_key_may_be_asked_for() -> None:
    application = asking.application(key="secret")
    statuses = [asking.answer(application, "/users", **headers).status for headers in ({}, {"X_API_Key": "other"})]
    assert statuses == [401, 401]
    assert asking.answer(application, "/users", X_API_Key="secret").status == 200
    assert asking.answer(application, "/openapi.json").status == 200


def test_it_is_served() -> None:
    with Server(Application(asking.SMALL)) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        answer = client.get("/tracks", params={"page": 4, "size": 100})
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.json()["items"]) == 10
        assert len(server.requests("tracks")) == 1
