"""A real PostgreSQL, started once for all tests of a process: behind DSQL's rules, or as it is."""

import asyncio
import tempfile
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import boto3
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from cli.emulator.dsql import database_of, make_database, serving
from cli.emulator.postgres import Postgres
from sluice.mart.connection_postgres import Connect, Connection, Mart, MartAddress, connector
from sluice.mart.migrations_postgres import migrate
from sluice.mart.model import ADMIN, Migration

_SESSION = boto3.Session("key", "secret", region_name="us-east-1")


@dataclass
class MartServer:
    """A schema of its own on the server. `port`: of the proxy with DSQL's rules; None: PostgreSQL itself."""

    socket: Path
    port: int | None
    schema: str = field(default_factory=lambda: f"test_{uuid.uuid4().hex[:12]}")
    opened: list[Mart] = field(default_factory=list)

    def connect(self, role: str = ADMIN) -> Connect:
        """What opens connections as a database role."""
        if self.port:
            return connector(MartAddress("localhost", self.port), role, _SESSION, self.schema)
        return lambda: self.session(role)

    def session(self, role: str = "postgres") -> Connection:
        """A connection to PostgreSQL itself: as `postgres` it may do what DSQL's rules forbid."""
        database = database_of("localhost")
        connection: Connection = psycopg.connect(host=str(self.socket), user=role, dbname=database, autocommit=True)
        connection.execute(SQL("SET search_path TO {}").format(Identifier(self.schema)))
        return connection

    def mart(self, role: str = ADMIN) -> Mart:
        """A mart of this schema."""
        self.opened.append(Mart(self.connect(role)))
        return self.opened[-1]

    def migrate(self, migrations: Sequence[Migration]) -> list[str]:
        """Apply migrations: PostgreSQL itself does not know DSQL's word ASYNC."""
        known = [each if self.port else replace(each, sql=each.sql.replace(" ASYNC", "")) for each in migrations]
        return migrate(self.mart(), known, self.schema)


@pytest.fixture(scope="session")
def mart_servers() -> Iterator[tuple[Path, int]]:
    """The socket of a PostgreSQL server, and the port of the proxy before it."""
    with ExitStack() as stack:
        server = stack.enter_context(Postgres(Path(tempfile.mkdtemp(prefix="sluice-test-"))))
        asyncio.run(make_database(server.socket, "localhost"))
        yield server.socket, stack.enter_context(serving(0, server.socket, admit))


@pytest.fixture
def dsql(mart_servers: tuple[Path, int]) -> Iterator[MartServer]:
    """A schema behind DSQL's rules."""
    yield from _schema(MartServer(*mart_servers))


@pytest.fixture(params=["dsql", "postgres"])
def any_mart(mart_servers: tuple[Path, int], request: pytest.FixtureRequest) -> Iterator[MartServer]:
    """A schema behind DSQL's rules, and one of PostgreSQL itself."""
    socket, port = mart_servers
    yield from _schema(MartServer(socket, port if request.param == "dsql" else None))


def _schema(server: MartServer) -> Iterator[MartServer]:
    try:
        yield server
    finally:
        drop(server)


def drop(server: MartServer) -> None:
    """Close what was opened, and remove the schema."""
    for mart in server.opened:
        mart.close()
    with server.session() as connection:
        connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(server.schema)))


def admit(role: str, token: str, _iam_roles: Collection[str]) -> None:
    """Let in who has a token of the right kind, whoever signed it."""
    if f"?Action=DbConnect{'Admin' if role == ADMIN else ''}&" not in token:
        raise PermissionError("no token")
