"""Crashes, readers and other loads at every moment; what transactions change, counted by PostgreSQL itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest

from sluice.api_pull.mart.loads_postgres import begin, load_part, publish, sweep
from sluice.api_pull.mart.tables import LISTENS, TABLES, TRACKS, USERS, LoadGoneError
from sluice.mart.batches import MAX_BYTES, MAX_ROWS
from sluice.mart.connection_postgres import Connection, Mart
from sluice.mart.model import ForeignKeyError, MartError
from tests.api_pull.integration.mart.loading import DAY, everything, load, load_day, prepare, rows_of, views
from tests.support.mart_server import MartServer

DAYS = {
    "even": ([1, 2, 3], [1, 2, 3], [(1, 1, 1), (2, 1, 3), (3, 1, 2)]),
    "odd": ([2, 3, 4], [2, 3], [(2, 1, 4), (2, 2, 3), (3, 1, 3)]),
}


@contextmanager
def crashing(patch: pytest.MonkeyPatch, at: int, *, committed: bool) -> Iterator[list[int]]:
    """End the process, so to say, before or after the transaction number `at`; yield how many there were."""
    transact, done = Mart.transact, [0]

    def perhaps(mart: Mart, work: Callable[[Connection], Any], **options: Any) -> Any:
        done[0] += 1
        if done[0] == at and not committed:
            raise KeyboardInterrupt
        result = transact(mart, work, **options)
        if done[0] == at:
            raise KeyboardInterrupt
        return result

    with patch.context() as within:
        within.setattr(Mart, "transact", perhaps)
        yield done


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
def test_a_crash_at_every_transaction_and_a_retry_give_the_same(
    any_mart: MartServer, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    mart = prepare(any_mart)
    expected = {}
    for name in (*DAYS, *DAYS):  # of the second round the first day was before
        load_day(mart, f"whole {name}", *DAYS[name], f" {name}")
        expected[name] = views(mart), {table: len(rows) for table, rows in everything(any_mart).items()}
        mart.execute("UPDATE loads SET run = id::text")
    for at in count(1):
        name = ("even", "odd")[at % 2 - 1]
        before = views(mart)
        with crashing(monkeypatch, at, committed=committed) as transactions:
            try:
                load_day(mart, f"run {at:03}", *DAYS[name], f" {name}")
            except KeyboardInterrupt:
                seen = views(mart)
            else:
                break
        assert seen in (before, expected[name][0])
        load_day(mart, f"run {at:03}", *DAYS[name], f" {name}")
        assert views(mart) == expected[name][0], at
        assert {table: len(rows) for table, rows in everything(any_mart).items()} == expected[name][1], at
    assert transactions[0] > 30


def test_readers_see_whole_days_while_two_runs_load(any_mart: MartServer) -> None:
    """Two runs load day after day at once, sweeping what the other was loading, while others read all the time."""
    prepare(any_mart)
    load_day(any_mart.mart(), "0", *DAYS["even"], " even")
    whole = [(*ids, {day}, {day}) for day, ids in DAYS.items()]
    over, seen, faults = Event(), list[Any](), list[MartError]()

    def read(mart: Mart) -> None:
        while not over.is_set():
            seen.append(mart.transact(_seen, read_only=True))

    def write(mart: Mart, who: str) -> None:
        for number, name in enumerate(("even", "odd") * 6):
            try:
                load_day(mart, f"{number:02} {who}", *DAYS[name], f" {name}")
            except (LoadGoneError, ForeignKeyError):
                pass  # overtaken: the load is gone, and nothing of it is visible
            except MartError as error:
                faults.append(error)

    readers = [Thread(target=read, args=(any_mart.mart(),)) for _ in range(2)]
    writers = [Thread(target=write, args=(any_mart.mart(), who)) for who in "ab"]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in readers:
        thread.join()
    assert not faults
    assert [each for each in seen if each not in whole] == []
    assert all(day in seen for day in whole)
    load_day(any_mart.mart(), "last", *DAYS["odd"], " odd")
    left = everything(any_mart)
    visible = {load for _, load in left["current_loads"]}
    assert {load for load, *_, is_open in left["loads l"] if is_open} == visible
    assert {row[0] for table in left for row in left[table] if table.endswith("by_load")} == visible


def _seen(connection: Connection) -> tuple[Any, ...]:
    """Return the ids of tracks and users, the listens, and the days that tracks and users say they are of."""
    tracks, users, listens = (
        connection.execute(f"SELECT {columns} FROM {view} ORDER BY 1, 2".encode()).fetchall()
        for view, columns in (
            ("tracks", "id, name"),
            ("users", "id, email"),
            ("listens", "user_id, position, track_id"),
        )
    )
    days = [{text.split()[-1] for _, text in rows} for rows in (tracks, users)]
    return [row[0] for row in tracks], [row[0] for row in users], listens, *days


def test_no_transaction_changes_more_than_dsql_lets_it(dsql: MartServer) -> None:
    mart = prepare(dsql)
    _count_changes(dsql)
    many, wide = list(range(7_001)), list(range(300))
    for run, rows, text in (("monday", many, 100), ("tuesday", wide, 20_000), ("wednesday", [1], 1)):
        load(mart, run, TRACKS, [rows], "x" * text)
        publish(mart, run)
        assert sweep(mart, lambda: True)
    with dsql.session() as session:
        changed = session.execute("SELECT sum(rows), sum(bytes) FROM changes GROUP BY transaction").fetchall()
    assert len(changed) > 2 * 3 + 2 * 4
    assert max(rows for rows, _ in changed) == MAX_ROWS
    assert 6 * 1024 * 1024 < max(size for _, size in changed) <= MAX_BYTES


def _count_changes(server: MartServer) -> None:
    """Have PostgreSQL itself write down what each statement changes: the proxy does not count it."""
    with server.session() as session:
        session.execute("CREATE TABLE changes (transaction text, rows bigint, bytes bigint)")
        session.execute(
            f"""
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
            SECURITY DEFINER SET search_path = {server.schema} AS $$
            BEGIN
                INSERT INTO changes
                SELECT pg_current_xact_id()::text, count(*), coalesce(sum(octet_length(c::text)), 0) FROM changed c;
                RETURN NULL;
            END $$
        """.encode()
        )
        for table in TABLES.values():
            for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
                session.execute(
                    f"CREATE TRIGGER note_{event} AFTER {event} ON {table.name} REFERENCING {rows} TABLE AS changed "
                    "FOR EACH STATEMENT EXECUTE FUNCTION note()".encode()
                )


@pytest.mark.parametrize("published", [False, True])
def test_a_run_whose_loads_were_swept_stays_the_earlier_one(any_mart: MartServer, published: bool) -> None:
    """Its listens, begun after another run was published and swept, are not shown over that run's users and tracks."""
    mart = prepare(any_mart)
    load_day(mart, "1", *DAYS["even"])
    for endpoint, rows in ((TRACKS, DAYS["odd"][0]), (USERS, DAYS["odd"][1])):
        load(mart, "2 overtaken", endpoint, [rows])
    if published:
        assert publish(mart, "2 overtaken") == [TRACKS, USERS]
    load_day(mart, "3 later", *DAYS["even"])
    before = everything(any_mart)
    load(mart, "2 overtaken", LISTENS, [DAYS["odd"][2]])
    assert publish(mart, "2 overtaken") == []
    assert sweep(mart, lambda: True)
    assert everything(any_mart) == before


class SlowPart:
    """A part of listens whose function writes them once, and once more when it is let go on."""

    def __init__(self, mart: Mart, load: int) -> None:
        self._mart = mart
        self._load = load
        self._has_written, self._goes_on = Event(), Event()
        self._thread = Thread(target=self._write)
        self._thread.start()
        assert self._has_written.wait(60)

    def end(self) -> None:
        self._goes_on.set()
        self._thread.join()

    def _write(self) -> None:
        with suppress(LoadGoneError, ForeignKeyError):
            load_part(self._mart, self._load, 0, LISTENS, self._pieces())

    def _pieces(self) -> Iterator[dict[str, list[Any]]]:
        piece = rows_of(LISTENS, DAYS["even"][2])
        yield piece
        self._has_written.set()
        self._goes_on.wait(60)
        yield piece


@dataclass
class Moments:
    """Moments that pass, and what happens in the last of them."""

    left: int
    happens: Callable[[], None]

    def pass_by(self) -> bool:
        self.left -= 1
        if not self.left:
            self.happens()
        return True


def test_a_part_that_is_overtaken_may_write_at_any_moment_of_a_sweep(any_mart: MartServer) -> None:
    mart, other = prepare(any_mart), any_mart.mart()
    tracks, users, listens = DAYS["even"]
    load_day(mart, "0", tracks, users, listens)
    expected = {table: len(rows) for table, rows in everything(any_mart).items()}
    for at in count(1):
        for endpoint, ids in ((TRACKS, tracks), (USERS, users)):
            load(mart, f"{at:03} overtaken", endpoint, [ids])
        part = SlowPart(other, begin(mart, f"{at:03} overtaken", DAY, LISTENS, 1))
        for endpoint, rows in ((TRACKS, tracks), (USERS, users), (LISTENS, listens)):
            load(mart, f"{at:03} visible", endpoint, [rows[::2], rows[1::2]])
        publish(mart, f"{at:03} visible")
        moments = Moments(at, part.end)
        assert sweep(mart, moments.pass_by)
        part.end()
        assert {table: len(rows) for table, rows in everything(any_mart).items()} == expected
        if moments.left > 0:
            break
    assert at > 10
