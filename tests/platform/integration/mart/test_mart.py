"""The mart's room on a real PostgreSQL, behind DSQL's rules and without."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest

from sluice.mart.connection_postgres import Connection, Mart
from sluice.mart.model import MartError, MartUnavailableError, Migration, MigrationError, Role
from sluice.mart.roles_postgres import grant
from tests.support.mart_server import MartServer

FIRST = Migration(
    "1",
    "CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, n bigint);\nCREATE INDEX ASYNC IF NOT EXISTS t_n ON t (n);\n",
)
SECOND = Migration(
    "2", "ALTER TABLE t ADD COLUMN IF NOT EXISTS more text;\nCREATE OR REPLACE VIEW v AS SELECT id FROM t;\n"
)


def test_migrations_are_applied_once_in_order(any_mart: MartServer) -> None:
    assert any_mart.migrate([FIRST]) == ["1"]
    assert any_mart.migrate([FIRST, SECOND]) == ["2"]
    assert any_mart.migrate([FIRST, SECOND]) == []
    with pytest.raises(MigrationError, match="migration 1 was changed after it was applied"):
        any_mart.migrate([Migration("1", "SELECT 1;\n"), SECOND])


@pytest.mark.parametrize("done", range(1, 8))
def test_a_migration_that_stopped_half_way_is_resumed(
    dsql: MartServer, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, left = Mart.execute, [done]

    def stopping(mart: Mart, *arguments: Any) -> int:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return execute(mart, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Mart, "execute", stopping)
        with pytest.raises(KeyboardInterrupt):
            dsql.migrate([FIRST, SECOND])
    dsql.migrate([FIRST, SECOND])
    assert dsql.mart().query("SELECT name FROM migrations ORDER BY name") == [("1",), ("2",)]
    assert dsql.mart().query("SELECT id, n, more FROM t") == dsql.mart().query("SELECT id FROM v") == []


def test_a_role_may_do_what_it_is_granted_and_nothing_more(dsql: MartServer) -> None:
    dsql.migrate([FIRST])
    name = f"role_{dsql.schema}"
    role = Role(name, "arn:aws:iam::1:role/first", frozenset({("INSERT", "t"), ("SELECT", "t")}))
    grant(dsql.mart(), [role], dsql.schema)
    own = dsql.mart(name)
    own.execute("INSERT INTO t VALUES (1)")
    for forbidden in ("DELETE FROM t", "DROP TABLE t", "CREATE TABLE u (id bigint)", "UPDATE migrations SET name = ''"):
        with pytest.raises(MartError, match="42501"):
            own.execute(forbidden)
    changed = Role(name, "arn:aws:iam::1:role/second", frozenset({("SELECT", "t"), ("DELETE", "t")}))
    for _ in range(2):
        grant(dsql.mart(), [changed], dsql.schema)
    own.execute("DELETE FROM t")
    with pytest.raises(MartError, match="42501"):
        own.execute("INSERT INTO t VALUES (2)")
    may = dsql.mart().query("SELECT arn FROM sys.iam_pg_role_mappings WHERE pg_role_name = %s", [name])
    assert may == [("arn:aws:iam::1:role/second",)]


def test_a_lost_connection_is_opened_anew(any_mart: MartServer) -> None:
    any_mart.migrate([FIRST])
    mart = any_mart.mart()
    (lost,) = mart.query("SELECT pg_backend_pid()")
    with any_mart.session() as session:
        session.execute("SELECT pg_terminate_backend(%s)", lost)
    mart.execute("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING")
    assert mart.query("SELECT id FROM t") == [(1,)]


def test_who_was_not_first_tries_again(any_mart: MartServer) -> None:
    """Two transactions that both read before they write: DSQL refuses the one that commits later, with 40001."""
    any_mart.migrate([FIRST])
    any_mart.mart().execute("INSERT INTO t VALUES (1, 0)")
    read = Barrier(2)
    runs: list[int] = []

    def add(connection: Connection) -> None:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute("SELECT n FROM t WHERE id = 1").fetchone()
        if len(runs) < 2:
            runs.append(1)
            read.wait(30)
        else:
            runs.append(1)
        connection.execute("UPDATE t SET n = %s WHERE id = 1", [row[0] + 1 if row else None])

    both = [Thread(target=any_mart.mart().transact, args=(add,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert any_mart.mart().query("SELECT n FROM t") == [(2,)]
    assert len(runs) == 3


def test_errors_are_the_domains(dsql: MartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    dsql.migrate([FIRST])
    pauses: list[float] = []
    monkeypatch.setattr("sluice.aws.runtime.time.sleep", pauses.append)
    with pytest.raises(MartError, match=r"the mart refused a statement: TRUNCATE is not supported.*0A000"):
        dsql.mart().execute("TRUNCATE t")
    with pytest.raises(MartError, match="read-only transaction"):
        dsql.mart().query("DELETE FROM t RETURNING id")
    with dsql.session() as session:
        session.execute(
            f"CREATE FUNCTION {dsql.schema}.too_much() RETURNS bigint LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'transaction row limit exceeded' USING ERRCODE = '54000'; END $$"
        )
    with pytest.raises(MartError, match=r"the mart refused a statement: transaction row limit exceeded.*54000"):
        dsql.mart().execute("SELECT too_much()")
    with pytest.raises(MartError, match="lets nobody in with these credentials"):
        dsql.mart("nobody").query("SELECT 1")
    assert not pauses, "none of these is tried again"
    monkeypatch.setattr("sluice.mart.connection_postgres._PAUSES", ())

    def lost() -> Connection:
        raise psycopg.OperationalError("the server closed the connection")

    with pytest.raises(MartUnavailableError, match="tried in vain: the server closed"):
        Mart(lost).query("SELECT 1")


def test_an_old_connection_is_not_used_any_more(dsql: MartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    mart, now = dsql.mart(), [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731
    monkeypatch.setattr("sluice.mart.connection_postgres.time.monotonic", clock)
    first = mart.query("SELECT pg_backend_pid()")
    now[0] = 49 * 60
    assert mart.query("SELECT pg_backend_pid()") == first
    now[0] = 55 * 60
    assert mart.query("SELECT pg_backend_pid()") != first
