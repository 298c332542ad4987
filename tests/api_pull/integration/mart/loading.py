"""Days of an application small enough to compare, and their loading into a mart on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sluice.api_pull.mart.loads_postgres import begin, load_part, publish, sweep
from sluice.api_pull.mart.tables import LISTENS, TABLES, TRACKS, USERS, migrations
from sluice.mart.connection_postgres import Mart
from tests.support.mart_server import MartServer

DAY = date(2026, 11, 30)
AT = datetime.fromisoformat("2026-11-30T12:00:00")
Ids = Sequence[int]
Listens = Sequence[tuple[int, int, int]]  # user, position, track


def rows_of(endpoint: str, rows: Sequence[Any], mark: str = "") -> dict[str, list[Any]]:
    """Return rows as columns; texts of tracks and users say which they are, and `mark`."""
    columns: dict[str, list[Any]] = {name: [AT] * len(rows) for name in ("created_at", "updated_at")}
    if endpoint == LISTENS:
        names = ("user_id", "position", "track_id")
        return {**columns, **{name: [row[place] for row in rows] for place, name in enumerate(names)}}
    texts = {
        name: [f"{name} {row}{mark}" for row in rows]
        for name, kind in TABLES[endpoint].columns.items()
        if kind == "text"
    }
    return {**columns, "id": list(rows), **texts}


def load(mart: Mart, run: str, endpoint: str, parts: Sequence[Sequence[Any]], mark: str = "") -> None:
    """Load an endpoint's rows, given by parts."""
    load = begin(mart, run, DAY, endpoint, len(parts))
    for number, rows in enumerate(parts):
        load_part(mart, load, number, endpoint, [rows_of(endpoint, rows, mark)])


def load_day(mart: Mart, run: str, tracks: Ids, users: Ids, listens: Listens, mark: str = "") -> None:
    """Load and publish a day, with two parts of each endpoint; delete what nothing refers to."""
    for endpoint, rows in ((TRACKS, tracks), (USERS, users), (LISTENS, listens)):
        load(mart, run, endpoint, [rows[::2], rows[1::2]], mark)
    publish(mart, run)
    sweep(mart, lambda: True)


def views(mart: Mart) -> dict[str, list[tuple[Any, ...]]]:
    """Return what readers see, in order, by one transaction."""
    return {
        "tracks": mart.query("SELECT * FROM tracks ORDER BY id"),
        "users": mart.query("SELECT * FROM users ORDER BY id"),
        "listens": mart.query("SELECT * FROM listens ORDER BY user_id, position"),
    }


def everything(server: MartServer) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the mart's tables, with the ids of loads as their ranks and without times of the clock."""
    mart = server.mart()
    ranks = {load: rank for rank, (load,) in enumerate(mart.query("SELECT id FROM loads ORDER BY id"))}
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table, columns in _COLUMNS.items():
        rows = mart.query(f"SELECT {', '.join(columns)} FROM {table}")
        named = [
            [
                ranks.get(value, value) if "load" in name or name == "l.id" else value
                for name, value in zip(columns, row, strict=True)
            ]
            for row in rows
        ]
        found[table] = sorted(tuple(row) for row in named)
    return found


_COLUMNS = {
    "loads l": ("l.id", "endpoint", "run", "parts", "published_at IS NULL", "swept_at IS NULL"),
    "load_parts": ("load_id", "part", "rows", "left_out"),
    "current_loads": ("endpoint", "load_id"),
    "tracks_by_load": ("load_id", "id", "name"),
    "users_by_load": ("load_id", "id", "email"),
    "listens_by_load": ("load_id", "user_id", "position", "track_id", "users_load", "tracks_load"),
}


def prepare(server: MartServer) -> Mart:
    """Return the mart with its tables."""
    server.migrate(migrations())
    return server.mart()
