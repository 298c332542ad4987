"""Every fault happens, to as many requests as it says; the ones of pages and rows are what their names say."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.api_simulator.application import Application, Endpoint
from cli.api_simulator.fault_catalogue import CATALOGUE, fault_named
from cli.http_server.messages import Response
from cli.http_server.server import Server
from cli.main import app
from tests.api_pull.unit.api_simulator import asking

SOME = (1, 2, 3, 4, 4)
NOT_READ = 100_000_000  # bytes; the rest of the answer says enough


def seen(response: Response) -> tuple[Any, ...]:
    body = b"" if response.raw or response.size > NOT_READ or not response.is_sized else b"".join(response.chunks)
    how = response.stall, response.cut_at, response.reset, response.is_sized, response.pause, response.raw is None
    return response.status, response.size, response.headers, body, *how


def asked(application: Application, endpoint: Endpoint) -> list[tuple[Any, ...]]:
    return [seen(asking.answer(application, f"/{endpoint}?page={number}", X_API_Key="key")) for number in SOME]


@pytest.mark.parametrize("endpoint", Endpoint)
def test_every_fault_happens_as_often_as_it_says(endpoint: Endpoint) -> None:
    right = asked(asking.application(key="key"), endpoint)
    for name, named in CATALOGUE.items():
        if named.endpoint is not endpoint:
            continue
        wrong = asked(asking.application(name, key="key"), endpoint)
        assert wrong != right, name
        assert named.times is None or wrong[named.times :] == right[named.times :], name
        for other in set(Endpoint) - {endpoint}:
            untouched = asking.application(name, key="key")
            first = [
                seen(asking.answer(each, f"/{other}?size=2&page=2", X_API_Key="key")) for each in (untouched, PLAIN)
            ]
            assert first[0] == first[1], f"{name} is of {endpoint} only"


PLAIN = asking.application(key="key")


def test_a_fault_can_be_limited_or_not() -> None:
    for text, statuses in (
        ("users-server-error", [503, 503, 200, 200]),
        ("users-server-error:3", [503, 503, 503, 200]),
        ("users-server-error:all", [503, 503, 503, 503]),
        ("users-flaky", [200, 200, 503, 200]),
    ):
        application = asking.application(text)
        assert [asking.answer(application, "/users").status for _ in range(4)] == statuses
    for text in ("nonsense", "users-html:x", "users-html:-1", "users-html:²"):
        with pytest.raises(ValueError, match=r"There is no fault|no number of requests"):
            fault_named(text)


@pytest.mark.parametrize("endpoint", Endpoint)
def test_rows_come_and_go_between_two_requests(endpoint: Endpoint) -> None:
    def found(name: str) -> tuple[list[int], set[int]]:
        application = asking.application(f"{endpoint}-{name}")
        return asking.ids(application, endpoint), {asking.page(application, endpoint)["total"]}

    usual = set(range(1, 311))
    ids, total = found("rows-added")
    assert (len(ids) - len(set(ids)), total) == (5, {315})
    ids, total = found("rows-removed")
    assert (usual - set(ids), total) == ({301, 302, 303, 304, 305}, {305})
    ids, total = found("rows-replaced")
    assert (len(usual - set(ids)), len(set(ids) - usual), total) == (5, 5, {310})
    ids, total = found("rows-restless")
    assert len(ids) > len(set(ids)) > 310 - 5
    ids, total = found("order-restless")
    assert len(set(ids)) < len(ids) == 310
    assert total == {310}


def test_pages_without_end() -> None:
    application = asking.application("tracks-endless")
    pages = [asking.page(application, "tracks", number) for number in range(1, 30)]
    assert all(len(page["items"]) == 100 and page["pages"] > page["page"] for page in pages)
    assert len({row["id"] for page in pages for row in page["items"]}) == 2900
    same = asking.application("tracks-endless-same")
    assert len(set(asking.ids(same, "tracks", range(1, 12)))) == 310


def test_a_page_of_fifty_megabytes_is_json() -> None:
    large = asking.answer(asking.application("users-page-huge"), "/users")
    assert large.size > 50_000_000
    assert len(asking.document(large)["items"]) == 100


def test_rows_are_wrong_as_their_names_say() -> None:
    def first(name: str, endpoint: str = "tracks") -> Any:
        return asking.page(asking.application(f"{endpoint}-{name}"), endpoint)["items"][0]

    assert first("key-null")["id"] is None
    assert first("key-null", "listen_history")["user_id"] is None
    assert first("duration-wrong")["duration"] == "3:5"
    assert "artist" not in first("column-renamed")
    assert "artist_new" in first("column-renamed")
    assert "popularity" in first("column-added", "users")
    assert first("user-unknown", "listen_history")["user_id"] == 999_999_999
    assert first("tracks-unknown", "listen_history")["items"][-1] == 999_999_999
    assert first("tracks-none", "listen_history")["items"] is None
    twice = asking.page(asking.application("users-key-twice"), "users")["items"]
    assert twice[0]["id"] == twice[1]["id"]
    assert twice[0] != twice[1]


def test_faults_of_the_connection_are_met_over_http() -> None:
    faults = [fault_named(name) for name in ("tracks-reset:1", "users-too-many-requests:1", "listen_history-html:1")]
    with (
        Server(Application(asking.SMALL, faults)) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        with pytest.raises(httpx.ReadError):
            client.get("/tracks")
        assert client.get("/users").headers["Retry-After"] == "1"
        assert client.get("/listen_history").text.startswith("<!DOCTYPE html>")
        assert [client.get(f"/{endpoint}").status_code for endpoint in Endpoint] == [200] * 3


def test_the_command_names_all_faults_and_refuses_others() -> None:
    documented = CliRunner().invoke(app, ["api", "--list-faults", "--json"])
    assert set(json.loads(documented.stdout)) == set(CATALOGUE)
    refused = CliRunner().invoke(app, ["api", "--fault", "tracks-nonsense"])
    assert refused.exit_code == 1
    assert "There is no fault 'tracks-nonsense'" in refused.stderr
