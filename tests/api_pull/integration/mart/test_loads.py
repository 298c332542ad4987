"""Loads on a real PostgreSQL, behind DSQL's rules and as it is: the same result, whatever is missing or comes twice."""

from itertools import chain, repeat
from typing import Any

import pytest

from sluice.api_pull.mart.loads_postgres import begin, load_part, publish, sweep, visible_rows
from sluice.api_pull.mart.tables import LISTENS, PART_ROWS, TRACKS, USERS, LoadGoneError, NotReadyError, cut_files
from sluice.mart.model import MartError, RowError
from tests.api_pull.integration.mart.loading import DAY, everything, load, load_day, prepare, rows_of, views
from tests.support.mart_server import MartServer

TRACK_IDS, USER_IDS = [10, 11, 12], [1, 2, 3]
LISTENED = [(1, 1, 10), (1, 2, 11), (2, 1, 12), (3, 1, 10)]


def ids(server: MartServer) -> tuple[list[int], list[int], list[tuple[int, int, int]]]:
    seen = views(server.mart())
    return [row[0] for row in seen["tracks"]], [row[0] for row in seen["users"]], [row[:3] for row in seen["listens"]]


def test_a_day_is_visible_and_the_next_takes_its_place(any_mart: MartServer) -> None:
    mart = prepare(any_mart)
    load_day(mart, "monday", TRACK_IDS, USER_IDS, LISTENED)
    assert ids(any_mart) == (TRACK_IDS, USER_IDS, LISTENED)
    assert visible_rows(mart) == {TRACKS: 3, USERS: 3, LISTENS: 4}
    load_day(mart, "tuesday", [10, 11, 13], [1, 3, 4], [(1, 1, 10), (3, 1, 11), (4, 1, 13)], " of tuesday")
    assert ids(any_mart) == ([10, 11, 13], [1, 3, 4], [(1, 1, 10), (3, 1, 11), (4, 1, 13)])
    assert views(mart)["users"][0][3] == "email 1 of tuesday"
    assert len(everything(any_mart)["users_by_load"]) == 3  # nothing of monday is left
    assert [row[:2] for row in mart.query("SELECT endpoint, snapshot_date FROM snapshots ORDER BY 1")] == [
        (endpoint, DAY) for endpoint in (LISTENS, TRACKS, USERS)
    ]


def test_a_day_loaded_twice_is_the_same(any_mart: MartServer) -> None:
    mart = prepare(any_mart)
    load_day(mart, "run", TRACK_IDS, USER_IDS, LISTENED)
    once = everything(any_mart)
    load_day(mart, "run", TRACK_IDS, USER_IDS, LISTENED)
    assert everything(any_mart) == once


@pytest.mark.parametrize("missing", [TRACKS, USERS, LISTENS])
def test_an_endpoint_that_is_missing_keeps_yesterday(any_mart: MartServer, missing: str) -> None:
    mart = prepare(any_mart)
    load_day(mart, "monday", TRACK_IDS, USER_IDS, LISTENED)
    today: dict[str, list[Any]] = {
        TRACKS: [10, 13],
        USERS: [1, 4],
        LISTENS: [(1, 1, 10), (1, 2, 13), (4, 1, 10), (1, 3, 11), (2, 1, 10)],
    }
    for endpoint in (TRACKS, USERS, LISTENS):
        if endpoint != missing:
            load(mart, "tuesday", endpoint, [today[endpoint]])
    begin(mart, "tuesday", DAY, missing, 1)  # it was begun, and its only part is not there
    assert publish(mart, "tuesday") == sorted({TRACKS, USERS, LISTENS} - {missing})
    assert sweep(mart, lambda: True)
    tracks = TRACK_IDS if missing == TRACKS else [10, 13]
    users = USER_IDS if missing == USERS else [1, 4]
    listens = LISTENED if missing == LISTENS else today[LISTENS]
    assert ids(any_mart) == (tracks, users, sorted(row for row in listens if row[0] in users and row[2] in tracks))
    # What listens of monday refer to stays until they go.
    load_day(mart, "wednesday", [10], [1], [(1, 1, 10)])
    assert ids(any_mart) == ([10], [1], [(1, 1, 10)])
    left = everything(any_mart)
    assert [len(left[f"{table}_by_load"]) for table in ("tracks", "users", "listens")] == [1, 1, 1]


def test_listens_without_user_or_track_are_left_out_and_counted(dsql: MartServer) -> None:
    mart = prepare(dsql)
    with pytest.raises(NotReadyError, match="the mart has no users that listens could refer to"):
        begin(mart, "run", DAY, LISTENS, 1)
    load(mart, "run", TRACKS, [TRACK_IDS])
    load(mart, "run", USERS, [USER_IDS])
    listens = begin(mart, "run", DAY, LISTENS, 1)
    rows = rows_of(LISTENS, [*LISTENED, (9, 1, 10), (1, 3, 99)])
    for _ in range(2):
        loaded = load_part(mart, listens, 0, LISTENS, [rows])
        assert (loaded.rows, loaded.left_out) == (4, 2)


def test_foreign_keys_hold(any_mart: MartServer) -> None:
    mart = prepare(any_mart)
    load_day(mart, "monday", TRACK_IDS, USER_IDS, LISTENED)
    for forbidden in (
        "DELETE FROM users_by_load WHERE id = 1",
        "DELETE FROM tracks_by_load WHERE id = 10",
        "DELETE FROM loads WHERE endpoint = 'users'",
        "UPDATE listens_by_load SET track_id = 99",
        "INSERT INTO current_loads VALUES ('other', 99)",
    ):
        with pytest.raises(MartError, match="violates foreign key constraint"):
            mart.execute(forbidden)


def test_a_load_that_a_later_one_replaced_is_given_up(any_mart: MartServer) -> None:
    """Two runs at once: the first is overtaken, and sweeping takes its load away."""
    mart = prepare(any_mart)
    slow = begin(mart, "1 slow", DAY, TRACKS, 3)
    load_part(mart, slow, 0, TRACKS, [rows_of(TRACKS, [1])])
    load_day(mart, "2 quick", TRACK_IDS, USER_IDS, LISTENED)
    for part in (1, 2):
        with pytest.raises(LoadGoneError, match="a later one is visible"):
            load_part(mart, slow, part, TRACKS, [rows_of(TRACKS, [2])])
    assert publish(mart, "1 slow") == []
    assert ids(any_mart) == (TRACK_IDS, USER_IDS, LISTENED)


def test_sweeping_ends_in_time_and_goes_on(any_mart: MartServer) -> None:
    mart = prepare(any_mart)
    for run in ("monday", "tuesday"):
        for endpoint, rows in ((TRACKS, TRACK_IDS), (USERS, USER_IDS), (LISTENS, LISTENED)):
            load(mart, run, endpoint, [rows])
        publish(mart, run)
    turns = 0
    while not sweep(mart, chain([True, True], repeat(False)).__next__):
        turns += 1
        assert ids(any_mart) == (TRACK_IDS, USER_IDS, LISTENED)
    assert turns
    assert len(everything(any_mart)["loads l"]) == 3


def test_a_row_the_mart_cannot_hold_is_named(dsql: MartServer) -> None:
    mart = prepare(dsql)
    rows = rows_of(TRACKS, TRACK_IDS)
    rows["name"][1] = "x" * 2_000_000
    with pytest.raises(RowError, match=r"cannot hold the row with id 11: name has 2,000,000 bytes"):
        load_part(mart, begin(mart, "run", DAY, TRACKS, 1), 0, TRACKS, [rows])


def test_files_are_cut_into_parts_of_some_rows() -> None:
    cut = cut_files([("a", PART_ROWS + 1), ("empty", 0), ("b", 5)])
    assert cut == [("a", 0, PART_ROWS), ("a", PART_ROWS, 1), ("b", 0, 5)]
