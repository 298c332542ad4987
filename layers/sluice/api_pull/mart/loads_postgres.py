"""Loads of the mart: begun, filled part by part, published together, and swept when nothing refers to them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from sluice.api_pull.mart.tables import LISTENS, TABLES, TRACKS, USERS, LoadGoneError, NotReadyError, RowTable
from sluice.mart.batches import FULL_BYTES, MAX_ROWS, cut
from sluice.mart.connection_postgres import Connection, Mart
from sluice.mart.model import ForeignKeyError

_FIND = "SELECT id FROM loads WHERE run = %s AND endpoint = %s"
_BEGIN = """
INSERT INTO loads (endpoint, run, snapshot_date, parts, users_load, tracks_load, begun_at)
VALUES (%s, %s, %s, %s, %s, %s, now()) RETURNING id
"""
_COMPLETE = "l.parts = (SELECT count(*) FROM load_parts AS p WHERE p.load_id = l.id)"
_REFERRED = f"""
SELECT coalesce(
    (SELECT l.id FROM loads AS l WHERE l.run = %s AND l.endpoint = %s AND l.swept_at IS NULL AND {_COMPLETE}),
    (SELECT load_id FROM current_loads WHERE endpoint = %s)
)
"""  # noqa: S608 - text of this module
# Written, not only read: a sweep of the same moment is then in conflict with it, and one of the two begins again.
_TOUCH = "UPDATE loads SET begun_at = begun_at WHERE id = %s AND swept_at IS NULL"
_OPEN = "SELECT users_load, tracks_load FROM loads WHERE id = %s AND swept_at IS NULL"
_PUBLISHABLE = f"""
SELECT l.id, l.endpoint FROM loads AS l
WHERE l.run = %s AND l.published_at IS NULL AND l.swept_at IS NULL AND {_COMPLETE}
AND NOT EXISTS (
    SELECT FROM current_loads AS c JOIN loads AS o ON o.id = c.load_id WHERE o.run > l.run
)
"""  # noqa: S608
_POINT = """
INSERT INTO current_loads (endpoint, load_id) VALUES (%s, %s)
ON CONFLICT (endpoint) DO UPDATE SET load_id = excluded.load_id
"""
_MARK = """
UPDATE loads AS l SET swept_at = now()
WHERE l.swept_at IS NULL
AND l.run < (
    SELECT o.run FROM current_loads AS c JOIN loads AS o ON o.id = c.load_id WHERE c.endpoint = l.endpoint
)
AND NOT EXISTS (SELECT FROM loads AS r WHERE r.users_load = l.id OR r.tracks_load = l.id)
"""


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """Rows of a part that are in the mart, and those left out since their user or track is not."""

    rows: int
    left_out: int


def begin(mart: Mart, run: str, snapshot: date, endpoint: str, parts: int) -> int:
    """Return the id of a run's load of an endpoint, which a run that is repeated finds again.

    Runs are in the order of their names: a run may begin a load after a later one was published, and is overtaken.
    Listens refer to the users and tracks that the run has loaded, or else to the visible ones.

    Raises:
        NotReadyError: There are none of these.
    """

    def work(connection: Connection) -> int:
        if found := connection.execute(_FIND, [run, endpoint]).fetchone():
            return int(found[0])
        referred = [_referred(connection, run, each) if endpoint == LISTENS else None for each in (USERS, TRACKS)]
        (load,) = connection.execute(_BEGIN, [endpoint, run, snapshot, parts, *referred]).fetchone() or (0,)
        return int(load)

    return mart.transact(work)


def load_part(
    mart: Mart, load: int, part: int, endpoint: str, rows: Iterable[Mapping[str, Sequence[Any]]]
) -> LoadedRows:
    """Write the rows of a part, given in pieces as columns, in batches; doing it again writes the same.

    Raises:
        LoadGoneError: The load was given up for a later one.
        RowError: The mart cannot hold a row.
    """
    if done := mart.query("SELECT rows, left_out FROM load_parts WHERE load_id = %s AND part = %s", [load, part]):
        return LoadedRows(*done[0])
    if not (opened := mart.query(_OPEN, [load])):
        raise LoadGoneError(f"load {load} of {endpoint} was given up: a later one is visible")
    table = TABLES[endpoint]
    referred = opened[0] if endpoint == LISTENS else ()
    statement = _upsert(table)
    taken = written = 0
    for piece in rows:
        for batch in cut({name: piece[name] for name in table.columns}, table.key):
            taken += len(batch[table.key[0]])
            written += mart.execute(statement, [load, *referred, *batch.values(), *referred])
    record = "INSERT INTO load_parts VALUES (%s, %s, %s, %s) ON CONFLICT (load_id, part) DO NOTHING"
    mart.execute(record, [load, part, written, taken - written])
    return LoadedRows(written, taken - written)


def publish(mart: Mart, run: str) -> list[str]:
    """Make visible what a run has loaded whole, all in one transaction, and return the endpoints of it.

    What a run published is not published again, and nothing once rows of a later run are visible: readers would see
    two runs mixed.
    """

    def work(connection: Connection) -> list[str]:
        for load, endpoint in connection.execute(_PUBLISHABLE.encode(), [run]).fetchall():
            connection.execute(_POINT, [endpoint, load])
            connection.execute("UPDATE loads SET published_at = now() WHERE id = %s", [load])
        query = "SELECT endpoint FROM loads WHERE run = %s AND published_at IS NOT NULL ORDER BY endpoint"
        return [endpoint for (endpoint,) in connection.execute(query, [run]).fetchall()]

    return mart.transact(work)


def visible_rows(mart: Mart) -> dict[str, int]:
    """Return how many rows the visible load of each endpoint has; 0 where nothing was loaded yet."""
    return dict.fromkeys(TABLES, 0) | dict(mart.query("SELECT endpoint, rows FROM snapshots"))


def sweep(mart: Mart, has_time: Callable[[], bool]) -> bool:
    """Delete loads that are not visible any more and that nothing refers to; return whether all of them are gone."""
    while has_time():
        mart.execute(_MARK)
        # Listens go first: with them goes what refers to users and tracks.
        marked = mart.query("SELECT id, endpoint FROM loads WHERE swept_at IS NOT NULL ORDER BY endpoint, id LIMIT 1")
        if not marked:
            return True
        load, endpoint = marked[0]
        table = TABLES[endpoint]
        while has_time():
            if mart.execute(_delete(table), [load, MAX_ROWS, FULL_BYTES]):
                continue
            with suppress(ForeignKeyError):  # the run that was overtaken wrote once more: those rows go, too
                mart.transact(partial(_forget, load=load))
                break
    return False


def _forget(connection: Connection, *, load: int) -> None:
    connection.execute("DELETE FROM load_parts WHERE load_id = %s", [load])
    connection.execute("DELETE FROM loads WHERE id = %s", [load])


def _referred(connection: Connection, run: str, endpoint: str) -> int:
    (load,) = connection.execute(_REFERRED.encode(), [run, endpoint, endpoint]).fetchone() or (None,)
    if load is None or not connection.execute(_TOUCH, [load]).rowcount:
        raise NotReadyError(f"the mart has no {endpoint} that listens could refer to: pull {endpoint} first")
    return int(load)


def _upsert(table: RowTable) -> Composed:
    """Return the statement that writes a batch: parameters are the load, what it refers to, and a list per column."""
    names = [Identifier(name) for name in table.columns]
    refers = [Identifier(name) for name in ("users_load", "tracks_load")] if table is TABLES[LISTENS] else []
    lists = [SQL("%s::{}[]").format(SQL(kind)) for kind in table.columns.values()]
    rest = [name for name in table.columns if name not in table.key]
    return SQL(
        "INSERT INTO {table} ({columns}) SELECT {loads}, {names} FROM unnest({lists}) AS r ({names}) {known} "
        "ON CONFLICT (load_id, {key}) DO UPDATE SET {new}"
    ).format(
        table=Identifier(table.name),
        columns=SQL(", ").join([Identifier("load_id"), *refers, *names]),
        loads=SQL(", ").join([SQL("%s::bigint")] * (1 + len(refers))),
        names=SQL(", ").join(names),
        lists=SQL(", ").join(lists),
        known=_KNOWN if refers else SQL(""),
        key=SQL(", ").join([Identifier(name) for name in table.key]),
        new=SQL(", ").join([SQL("{0} = excluded.{0}").format(Identifier(name)) for name in rest]),
    )


_KNOWN = SQL(
    "WHERE EXISTS (SELECT FROM users_by_load AS u WHERE u.load_id = %s AND u.id = r.user_id) "
    "AND EXISTS (SELECT FROM tracks_by_load AS t WHERE t.load_id = %s AND t.id = r.track_id)"
)


def _delete(table: RowTable) -> Composed:
    """Return the statement that deletes rows of a load: as many, and as large together, as a batch may be."""
    key = SQL(", ").join([Identifier(name) for name in ("load_id", *table.key)])
    some = SQL("SELECT {key}, octet_length(r::text) AS size FROM {table} AS r WHERE load_id = %s LIMIT %s")
    summed = SQL("SELECT {key}, sum(size) OVER (ORDER BY {key} ROWS UNBOUNDED PRECEDING) AS size FROM ({some}) AS s")
    parts = {"key": key, "table": Identifier(table.name)}
    chosen = summed.format(**parts, some=some.format(**parts))
    return SQL("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM ({chosen}) AS c WHERE size <= %s)").format(
        **parts, chosen=chosen
    )
