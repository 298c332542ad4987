"""What inference and training need of the mart, read in one transaction, as arrays of 64-bit integers."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from datetime import UTC

from sluice.mart.connection_postgres import Connection, Mart
from sluice.recommender.inference import Snapshot

USERS, TRACKS, LISTENERS, LISTENED = "users", "tracks", "listeners", "listened"
"""Ids of all users and tracks; of each listen its user and, in the other array, its track."""

_SNAPSHOTS = "SELECT endpoint, snapshot_date, published_at FROM snapshots"
_LISTENS = "listen_history"
_ENDPOINTS = {"users", "tracks", _LISTENS}
_QUERIES = (
    ("SELECT id FROM users ORDER BY id", (USERS,)),
    ("SELECT id FROM tracks ORDER BY id", (TRACKS,)),
    ("SELECT user_id, track_id FROM listens ORDER BY user_id, position", (LISTENERS, LISTENED)),
)
_ROWS = 10_000  # that are fetched at a time


def snapshot_of(mart: Mart) -> Snapshot | None:
    """Return what the mart shows; None before there are users, tracks and listens."""
    return mart.transact(_snapshot, read_only=True)


def extract(mart: Mart, snapshot: Snapshot) -> Mapping[str, array[int]] | None:
    """Return the arrays of a snapshot; None where the mart shows another one by now."""

    def work(connection: Connection) -> Mapping[str, array[int]] | None:
        if _snapshot(connection) != snapshot:
            return None
        found = {name: array("q") for _, names in _QUERIES for name in names}
        for query, names in _QUERIES:
            with connection.cursor(binary=True) as cursor:
                for row in cursor.stream(query, size=_ROWS):
                    for name, value in zip(names, row, strict=True):
                        found[name].append(value)
        return found

    return mart.transact(work, read_only=True)


def _snapshot(connection: Connection) -> Snapshot | None:
    shown = {endpoint: (day, at) for endpoint, day, at in connection.execute(_SNAPSHOTS).fetchall()}
    if not shown.keys() >= _ENDPOINTS:
        return None
    newest = max(at for _, at in shown.values())
    return Snapshot(shown[_LISTENS][0].isoformat(), newest.astimezone(UTC).isoformat())
