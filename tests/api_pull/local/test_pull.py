"""`sluice pull` on the deployed stack: what a server has is in lake and mart; dirty rows are accounted for."""

import pytest

from tests.api_pull import independent_server as server
from tests.support.local.deployed_cloud import Cloud

DAY = "2026-11-29"
VIEWS = "select (select count(*) from tracks) t, (select count(*) from users) u, (select count(*) from listens) l"


def test_a_day_is_pulled_and_pulled_again(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    too_long = {**server.SETS["tracks"][0], "id": 1001, "duration": "three minutes"}
    monkeypatch.setitem(server.SETS, "tracks", [*server.SETS["tracks"], too_long])
    with server.independent_server() as url:
        for _ in range(2):
            pulled = cloud.run("pull", "--source-url", url, "--date", DAY)
            assert pulled["status"] == "complete"
            assert pulled["mart"] == {"tracks": 1000, "users": 1000, "listens": 5000}
            assert {name: (each["rows"], each["clean"]) for name, each in pulled["endpoints"].items()} == {
                "tracks": (1001, 1000),
                "users": (1000, 1000),
                "listen_history": (1000, 5000),
            }
            assert [each["dirty"] for each in pulled["endpoints"].values()] == [{"bad_duration": 1}, {}, {}]
            rows = {table: len(cloud.rows(table)) for table in ("TRACKS", "USERS", "LISTENS")}
            assert rows == {"TRACKS": 1000, "USERS": 1000, "LISTENS": 5000}
            assert cloud.run("mart", "query", VIEWS) == [{"t": 1000, "u": 1000, "l": 5000}]
    assert cloud.invoke("doctor").exit_code == 0
