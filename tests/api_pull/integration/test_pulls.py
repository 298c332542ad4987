"""Pulls into the lake: whole, again, one at a time; whatever fails or crashes, the lake is as it should be."""

from collections.abc import Iterator

import httpx
import pytest

from sluice.api_pull.model import PullError
from sluice.api_pull.results import PullResult
from tests.api_pull.application import always, listens, track, user
from tests.api_pull.integration.pulling import Pulling, new_pulling, pulling
from tests.support.moto.aws_calls import READS, CallFailure, KilledError
from tests.support.scripted_server import said

__all__ = ["pulling"]

WHOLE = {"TRACKS": 250, "USERS": 120, "LISTENS": 600}
BROKEN = said(500, {"detail": "broken"})


def test_a_pull_has_all_rows_and_again_the_same(pulling: Pulling) -> None:
    first = pulling.pull()
    assert first is not None
    assert (first.status, first.cause) == ("complete", "")
    assert {name: (each.pages, each.rows, each.clean) for name, each in first.endpoints.items()} == {
        "tracks": (3, 250, 250),
        "users": (2, 120, 120),
        "listen_history": (2, 120, 600),
    }
    rows = [pulling.rows(table) for table in WHOLE]
    again = pulling.pull()
    assert again is not None
    assert again.status == "complete"
    assert [pulling.rows(table) for table in WHOLE] == rows
    assert pulling.counts() == WHOLE
    assert {len(pulling.tables.snapshots(table)) for table in WHOLE} == {2}, "one snapshot per pull"


def test_days_lie_beside_each_other_and_what_vanished_stays_in_its_day(pulling: Pulling) -> None:
    pulling.pull("2026-11-29")
    del pulling.application.tracks[240:]
    pulling.application.tracks.append(track(999))
    pulling.pull("2026-11-30")
    days = [f"{row['snapshot_date']}" for row in pulling.rows("TRACKS")]
    assert (days.count("2026-11-29"), days.count("2026-11-30")) == (250, 241)


def test_of_two_pulls_one_works(pulling: Pulling) -> None:
    seen: list[PullResult | None] = []

    def interrupt(endpoint: str, page: int) -> httpx.Response | None:
        if not seen and (endpoint, page) == ("users", 1):
            seen.append(pulling.pull(execution="another"))
        return None

    pulling.application.before = interrupt
    result = pulling.pull()
    assert seen == [None]
    assert result is not None
    assert result.status == "complete"
    assert pulling.counts() == WHOLE


def test_an_endpoint_that_fails_does_not_take_the_others_with_it(pulling: Pulling) -> None:
    pulling.pull("2026-11-29")
    pulling.application.before = always([(("tracks", page), BROKEN) for page in (1, 2, 3)])
    pulling.application.users.append(user(121))
    pulling.application.listen_history.append(listens(121, 1, 777))
    result = pulling.pull("2026-11-30")
    assert result is not None
    assert result.status == "partial"
    assert {name: each.status for name, each in result.endpoints.items()} == {
        "tracks": "failed",
        "users": "complete",
        "listen_history": "complete",
    }
    assert result.cause.startswith("tracks: GET /tracks page=1 size=100: the server answered 500")
    assert result.endpoints["listen_history"].dirty == {"unknown_track": 1}, "they refer to the tracks of yesterday"


def test_without_users_ever_their_listens_fail_and_say_why(pulling: Pulling) -> None:
    pulling.application.before = always([(("users", 1), BROKEN)])
    result = pulling.pull()
    assert result is not None
    assert [each.status for each in result.endpoints.values()] == ["complete", "failed", "failed"]
    assert "listen_history: /listen_history refers to /users" in result.cause


def test_a_changed_schema_is_kept_in_the_lake_and_held_back(pulling: Pulling) -> None:
    pulling.pull("2026-11-29")
    for row in pulling.application.users:
        row["mail"] = row.pop("email")
    result = pulling.pull("2026-11-30")
    assert result is not None
    users = result.endpoints["users"]
    assert (result.status, users.status) == ("partial", "held")
    assert "Member email is gone from 120 of 120 rows of /users; new there: mail" in users.cause
    assert users.unknown == {"mail": 120}
    assert users.dirty == {"missing_email": 120}
    assert result.endpoints["listen_history"].clean == 600, "they refer to the users of yesterday"


def test_a_volume_far_off_is_kept_in_the_lake_and_held_back(pulling: Pulling) -> None:
    pulling.pull("2026-11-29")
    pulling.application.users += [user(each) for each in range(1000, 1200)]
    result = pulling.pull("2026-11-30")
    assert result is not None
    assert result.endpoints["users"].status == "held"
    assert "320 clean rows of 320 that /users gave: 120 are usual" in result.cause
    assert sum(f"{row['snapshot_date']}" == "2026-11-30" for row in pulling.rows("USERS")) == 320


def test_rows_that_never_hold_still_are_complete_and_said(pulling: Pulling) -> None:
    new = iter(range(5000, 6000))

    def grow(endpoint: str, page: int) -> None:
        if (endpoint, page) == ("tracks", 2):
            pulling.application.tracks.append(track(next(new)))

    pulling.application.before = grow
    result = pulling.pull()
    assert result is not None
    tracks = result.endpoints["tracks"]
    assert (result.status, tracks.status, tracks.restarts) == ("complete", "complete", 3)
    assert "its rows never held still" in tracks.cause
    assert len({row["id"] for row in pulling.rows("TRACKS")}) == len(pulling.rows("TRACKS")) == 254


def small(stage: Pulling) -> None:
    del stage.application.tracks[120:], stage.application.users[40:], stage.application.listen_history[40:]


def undisturbed() -> tuple[list[str], list[object]]:
    with new_pulling() as stage:
        small(stage)
        with stage.calls.record() as operations:
            stage.pull(execution="first")
        return operations, [stage.rows(table) for table in WHOLE]


def ways(operations: list[str]) -> Iterator[CallFailure]:
    for at, operation in enumerate(operations, start=1):
        if operation not in READS:
            yield CallFailure(at, after=at % 2 == 0)


def test_a_side_effect_that_fails_is_made_up_for_by_the_next_attempt() -> None:
    operations, rows = undisturbed()
    for failure in ways(operations):
        with new_pulling() as stage:
            small(stage)
            with stage.calls.intercept(failure):
                result = stage.pull(execution="first")
            assert result is not None, str(failure)
            assert result.status == "complete", str(failure)
            assert [stage.rows(table) for table in WHOLE] == rows, str(failure)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_an_execution_that_died_is_followed_by_another(share: float) -> None:
    operations, rows = undisturbed()
    with new_pulling() as stage:
        small(stage)
        at = round(share * len(operations))
        with stage.calls.intercept(CallFailure(at, killed=True)), pytest.raises((PullError, KilledError)):
            stage.pull(execution="first")
        result = stage.pull(execution="second")
        assert result is not None
        assert result.status == "complete"
        assert [stage.rows(table) for table in WHOLE] == rows
