"""Aurora DSQL of the local cloud: PostgreSQL behind ministack's proxy, which refuses what DSQL refuses.

The proxy lets anybody in as the one user of its own server. Here a session begins as DSQL's do: by a token, for a
database role of the cluster whose host the token names; and `AWS IAM GRANT`, which the proxy does not know, says which
IAM role may connect as which. Each cluster is a database of the server, made when its administrator first comes.
"""

import asyncio
import re
import struct
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import psycopg
from ministack.core import pgproxy
from psycopg.sql import SQL, Identifier

ADMIN = "admin"
Admit = Callable[[str, str, Collection[str]], None]
"""Takes a database role, a password, and the ARNs of IAM roles that may connect as it; raises PermissionError."""

_CLUSTER = re.compile(r"([a-z0-9-]+)[.:/]")
_SSL, _GSS = 80877103, 80877104
_NEEDS_PASSWORD = struct.pack("!I", 3)  # in clear text, as DSQL wants its tokens
_SHORTEST, _LONGEST = 5, 64 * 1024  # bytes of a message before the client is let in
_IAM = re.compile(r"AWS\s+IAM\s+(GRANT|REVOKE)\s+(\"[^\"]+\"|\w+)\s+(?:TO|FROM)\s+'([^']+)'\s*;?\s*", re.IGNORECASE)
_ROLE = """
SELECT array(SELECT arn FROM sys.iam_pg_role_mappings WHERE pg_role_name = rolname)
FROM pg_roles WHERE rolname = %s AND rolcanlogin AND NOT rolsuper
"""

_session: ContextVar[tuple[Path, str, str, asyncio.StreamWriter]] = ContextVar("session")
# The server's folder of sockets, the database and the role of the session, and where its client is.


@contextmanager
def serving(port: int, socket: Path, admit: Admit) -> Iterator[int]:
    """Serve a PostgreSQL server as DSQL on the loopback interface meanwhile; yield the port, which 0 leaves open."""
    pgproxy._connect_backend = _connect
    pgproxy._plan_statement = _plan
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # at the end, which is no failure of the session's
            await _handle(reader, writer, socket, admit)

    listening = asyncio.start_server(handle, "127.0.0.1", port)
    server = asyncio.run_coroutine_threadsafe(_started(listening), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _started(listening: Any) -> asyncio.Server:  # noqa: ANN401 - a coroutine
    server: asyncio.Server = await listening
    return server


async def _end(server: asyncio.Server) -> None:
    server.close()
    sessions = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in sessions:
        task.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)


class _Replayed:
    """A stream that begins with bytes that were read from it before."""

    def __init__(self, first: bytes, rest: asyncio.StreamReader) -> None:
        self._first = first
        self._rest = rest

    async def readexactly(self, length: int) -> bytes:
        if not self._first:
            return await self._rest.readexactly(length)
        taken, self._first = self._first[:length], self._first[length:]
        return taken


class _Watched:
    """The server's side of a session; when it is over, so is the client's, which the proxy would leave waiting."""

    def __init__(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self._server = server
        self._client = client

    async def readexactly(self, length: int) -> bytes:
        try:
            return await self._server.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._client.close()
            raise asyncio.CancelledError from None


async def _handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: Path, admit: Admit) -> None:
    try:
        startup = await _startup(reader, writer)
        role = pgproxy._parse_startup_params(startup[8:]).get("user", "")
        writer.write(pgproxy._frame(b"R", _NEEDS_PASSWORD))
        password = (await _message(reader, await reader.readexactly(1)))[5:-1].decode()
        cluster = cluster_of(password)
        admit(role, password, () if role == ADMIN else await _iam_roles(socket, cluster, role))
        if role == ADMIN:
            await make_database(socket, cluster)
    except (PermissionError, UnicodeDecodeError, struct.error) as error:
        writer.write(pgproxy._error_response("28000", f"unable to accept connection, access denied: {error}"))
        writer.close()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
    else:
        _session.set((socket, database_of(cluster), role, writer))
        await pgproxy._handle_client(cluster, "", 0, _Replayed(startup, reader), writer)


def cluster_of(token: str) -> str:
    """Return the id of the cluster that a token is for: its host begins with it. Raises PermissionError: with none."""
    if not (found := _CLUSTER.match(token)):
        raise PermissionError("the token names no cluster")
    return found[1]


def database_of(cluster: str) -> str:
    """Return the name of a cluster's database."""
    return f"cluster-{cluster}"


async def make_database(socket: Path, cluster: str) -> None:
    """Make the database of a cluster, unless it is there."""
    async with await _as_owner(socket, "postgres") as server:
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # at once with another session
            make = SQL("CREATE DATABASE {} OWNER {}").format(Identifier(database_of(cluster)), Identifier(ADMIN))
            await server.execute(make)


async def _as_owner(socket: Path, database: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(host=str(socket), user="postgres", dbname=database, autocommit=True)


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Return the message that begins a session; TLS is declined."""
    while True:
        message = await _message(reader)
        (code,) = struct.unpack("!I", message[4:8])
        if code not in {_SSL, _GSS}:
            return message
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader, kind: bytes = b"") -> bytes:
    size = await reader.readexactly(4)
    (length,) = struct.unpack("!I", size)
    if not _SHORTEST <= length <= _LONGEST:
        raise PermissionError("this is no message of a PostgreSQL client")
    return kind + size + await reader.readexactly(length - 4)


async def _iam_roles(socket: Path, cluster: str, role: str) -> Collection[str]:
    """Return the ARNs of IAM roles that may connect as a database role."""
    try:
        async with await _as_owner(socket, database_of(cluster)) as server:
            found = await (await server.execute(_ROLE, [role])).fetchone()
    except psycopg.OperationalError as error:
        raise PermissionError(f"cluster {cluster} does not exist") from error
    if found is None:
        raise PermissionError(f'role "{role}" does not exist')
    arns: list[str] = found[0]
    return arns


async def _connect(_host: str, _port: int, _database: str) -> tuple[_Watched, asyncio.StreamWriter]:
    """Open a session of the cluster under the client's own role: the proxy's has all rights."""
    socket, database, role, client = _session.get()
    reader, writer = await asyncio.open_unix_connection(str(socket / ".s.PGSQL.5432"))
    settings = b"user\0%b\0database\0%b\0\0" % (role.encode(), database.encode())
    writer.write(struct.pack("!II", len(settings) + 8, 196608) + settings)
    while True:
        kind, payload = await pgproxy._read_frame(reader)
        if kind == b"Z":
            return _Watched(reader, client), writer
        if kind == b"E":
            raise RuntimeError(payload)


_plan_known = pgproxy._plan_statement


async def _plan(conn: Any, statement: str, backend: Any, allow_probe: bool = True) -> tuple[str, Any]:  # noqa: ANN401 - the proxy's
    """Do what `AWS IAM GRANT` and `REVOKE` say, by a table; leave all else to the proxy."""
    if not (found := _IAM.fullmatch(statement)):
        planned: tuple[str, Any] = await _plan_known(conn, statement, backend, allow_probe=allow_probe)
        return planned
    what, role, arn = found[1].upper(), found[2].strip('"'), found[3]
    change = (
        f"INSERT INTO sys.iam_pg_role_mappings VALUES ('{arn}', '{role}') ON CONFLICT DO NOTHING"
        if what == "GRANT"
        else f"DELETE FROM sys.iam_pg_role_mappings WHERE arn = '{arn}' AND pg_role_name = '{role}'"
    )
    for kind, payload in await pgproxy._run_backend_capture(conn, backend, change):
        if kind == b"E":
            fields = {part[:1]: part[1:].decode() for part in payload.split(b"\0") if part}
            return "error", pgproxy.DsqlError(fields[b"C"], fields[b"M"])
    return "rows", {"cols": [], "rows": [], "tag": f"AWS IAM {what}"}
