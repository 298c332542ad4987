"""Pulls in process, from an application to the views of a mart on a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from sluice.mart.connection_postgres import Mart
from tests.api_pull.application import always, track
from tests.api_pull.integration.mart.loading import prepare
from tests.api_pull.integration.pulling import Pulling, new_pulling
from tests.support.mart_server import MartServer
from tests.support.scripted_server import said

BROKEN = said(500, {"detail": "broken"})


@pytest.fixture
def pulling(dsql: MartServer) -> Iterator[Pulling]:
    with new_pulling() as stage:
        stage.mart = prepare(dsql)
        yield stage


def ids(mart: Mart, view: str) -> list[int]:
    return [each for (each,) in mart.query(f"SELECT id FROM {view} ORDER BY id")]


def test_the_mart_shows_the_lakes_rows_of_the_day(pulling: Pulling, dsql: MartServer) -> None:
    mart = dsql.mart()
    for _ in range(2):
        result = pulling.pull()
        assert result is not None
        assert (result.status, result.cause) == ("complete", "")
        assert result.mart == {"tracks": 250, "users": 120, "listens": 600}
        for table, view in (("TRACKS", "tracks"), ("USERS", "users")):
            assert ids(mart, view) == sorted(row["id"] for row in pulling.rows(table))
        listens = {(row["user_id"], row["position"], row["track_id"]) for row in pulling.rows("LISTENS")}
        assert {*mart.query("SELECT user_id, position, track_id FROM listens")} == listens
        times = mart.query("SELECT id, created_at, updated_at FROM users ORDER BY id")
        lake = sorted((row["id"], row["created_at"], row["updated_at"]) for row in pulling.rows("USERS"))
        assert [(each, f"{made}", f"{changed}") for each, made, changed in times] == [
            (each, f"{made}".removesuffix("+00:00"), f"{changed}".removesuffix("+00:00"))
            for each, made, changed in lake
        ]


def test_an_endpoint_that_fails_keeps_yesterday_and_what_vanished_is_not_shown(
    pulling: Pulling, dsql: MartServer
) -> None:
    mart = dsql.mart()
    pulling.pull("2026-11-29")
    users = ids(mart, "users")
    del pulling.application.tracks[240:]
    pulling.application.tracks.append(track(999))
    pulling.application.before = always((("users", page), BROKEN) for page in (1, 2))
    result = pulling.pull("2026-11-30")
    assert result is not None
    assert {name: each.status for name, each in result.endpoints.items()} == {
        "tracks": "complete",
        "users": "failed",
        "listen_history": "complete",
    }
    assert ids(mart, "users") == users
    assert ids(mart, "tracks") == sorted(each["id"] for each in pulling.application.tracks)
    assert not mart.query("SELECT FROM listens WHERE track_id NOT IN (SELECT id FROM tracks)")
    shown = dict(mart.query("SELECT endpoint, snapshot_date::text FROM snapshots"))
    assert shown == {"tracks": "2026-11-30", "users": "2026-11-29", "listen_history": "2026-11-30"}


def test_listens_without_users_are_held_with_their_cause(pulling: Pulling) -> None:
    pulling.application.before = always((("users", page), BROKEN) for page in (1, 2))
    result = pulling.pull()
    assert result is not None
    assert result.endpoints["listen_history"].status in {"held", "failed"}
    assert result.endpoints["listen_history"].cause
    assert result.mart == {"tracks": 250, "users": 0, "listens": 0}
