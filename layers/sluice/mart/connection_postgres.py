"""Connections to the mart: Aurora DSQL with an IAM token, or the local cloud's, which takes the same."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
import psycopg
from botocore.httpsession import get_cert_path
from psycopg import errors
from psycopg.sql import SQL, Composed, Identifier

from sluice.aws.runtime import attempts
from sluice.mart.model import ADMIN, SCHEMA, ForeignKeyError, MartError, MartUnavailableError

Result = TypeVar("Result")
Connection = psycopg.Connection[tuple[Any, ...]]
Connect = Callable[[], Connection]

_PORT = 5432
_HERE = "localhost"
_TOKEN_SECONDS = 900
_CONNECTION_SECONDS = 50 * 60  # DSQL ends a connection after an hour, at its age only
_PAUSES = (0.05, 0.2, 0.5, 1, 2, 5, 10)  # seconds at most: a cluster that nobody used for long wakes up first
_REFUSED = "access denied"  # what DSQL says of a token; libpq gives no SQLSTATE for it
_KEEPALIVES: dict[str, Any] = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_MOMENTARY = (
    errors.SerializationFailure,  # 40001: another transaction was first
    errors.DeadlockDetected,
    errors.OperationalError,  # the connection is lost or refused, the server is busy or starts
    errors.InternalError_,  # XX000; its base class has refusals of read-only transactions, too
)


@dataclass(frozen=True, slots=True)
class MartAddress:
    """Address of a mart."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "MartAddress":
        """Return the address that a text names: a host, with a port where it is not PostgreSQL's own.

        The local cloud tells its functions the port: it is another at each start.
        """
        host, _, port = text.partition(":")
        own = os.environ.get("MART_PORT", _PORT) if _is_here(host) else _PORT
        return cls(host, int(port or own))

    @property
    def settings(self) -> dict[str, str]:
        """Settings of connections, by their names in libpq; only what never leaves this machine is not encrypted."""
        place = {"host": self.host, "port": str(self.port), "dbname": "postgres"}
        if _is_here(self.host):  # by a name that not every resolver knows
            return {**place, "hostaddr": "127.0.0.1", "sslmode": "disable"}
        return {**place, "sslmode": "verify-full", "sslrootcert": str(get_cert_path(True))}


def _is_here(host: str) -> bool:
    return host == _HERE or host.endswith(f".{_HERE}")


def token(session: boto3.Session, address: MartAddress, role: str) -> str:
    """Return the password of a quarter of an hour for a database role, signed with the session's credentials."""
    client = session.client("dsql")
    make = client.generate_db_connect_admin_auth_token if role == ADMIN else client.generate_db_connect_auth_token
    return str(make(Hostname=address.host, Region=client.meta.region_name, ExpiresIn=_TOKEN_SECONDS))


def connector(
    address: MartAddress,
    role: str,
    session: boto3.Session | None = None,
    schema: str = SCHEMA,
    timeout_seconds: int = 30,
) -> Connect:
    """Return what opens connections as a database role, with the credentials of the session or the function.

    The timeout is that of connecting; what is sent later may stay without an answer of the network twice as long.
    """
    signing = session or boto3.Session()

    def connect() -> Connection:
        connection: Connection = psycopg.connect(
            user=role,
            password=token(signing, address, role),
            application_name="sluice",
            autocommit=True,
            **{**_KEEPALIVES, **address.settings},
            connect_timeout=timeout_seconds,
            tcp_user_timeout=timeout_seconds * 2_000,
        )
        connection.execute(SQL("SET search_path TO {}").format(Identifier(schema)))
        return connection

    return connect


class Mart:
    """The mart by one connection, which is opened when it is first needed, and anew when it is lost or old."""

    def __init__(self, connect: Connect, pauses: Sequence[float] | None = None) -> None:
        """Take what opens connections, and the pauses before further attempts where callers cannot wait long."""
        self._connect = connect
        self._pauses = _PAUSES if pauses is None else pauses
        self._connection: Connection | None = None
        self._opened = 0.0

    def transact(self, work: Callable[[Connection], Result], *, read_only: bool = False) -> Result:
        """Do the work in a transaction, again when others were in its way or the connection was lost.

        It may have been committed the first time: the work has to be one that may be done twice. DSQL wants it to be
        at most 3,000 rows of 10 MiB in 5 minutes; `batches` cuts it so.

        Raises:
            MartUnavailableError: It failed so in every attempt.
            MartError: The mart refuses it.
        """
        failure: Exception = MartUnavailableError("no attempt was made")
        for _ in attempts(self._pauses):
            try:
                connection = self._current()
                connection.read_only = read_only
                with connection.transaction():
                    return work(connection)
            except _MOMENTARY as error:
                if _REFUSED in str(error):
                    raise MartError(f"the mart lets nobody in with these credentials: {said(error)}") from error
                if isinstance(error, errors.ProgramLimitExceeded):  # of rows, bytes, keys: it will be so again
                    raise MartError(f"the mart refused a statement: {said(error)}") from error
                failure = error
                self.close()
            except psycopg.Error as error:
                kind = ForeignKeyError if isinstance(error, errors.ForeignKeyViolation) else MartError
                raise kind(f"the mart refused a statement: {said(error)}") from error
        raise MartUnavailableError(f"the mart was tried in vain: {said(failure)}") from failure

    def execute(self, statement: str | Composed, values: Sequence[object] = ()) -> int:
        """Run a statement that may be run twice, in a transaction of its own; return the number of rows it changed."""
        return self.transact(lambda connection: connection.execute(_sql(statement), values or None).rowcount)

    def query(self, statement: str | Composed, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.transact(
            lambda connection: connection.execute(_sql(statement), values or None).fetchall(), read_only=True
        )

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _current(self) -> Connection:
        if self._connection and time.monotonic() - self._opened > _CONNECTION_SECONDS:
            self.close()
        if not self._connection or self._connection.closed:
            self._connection, self._opened = self._connect(), time.monotonic()
        return self._connection


def said(error: Exception) -> str:
    """Return what the server says of an error, in one line and with its SQLSTATE."""
    code = getattr(error, "sqlstate", None)
    text = " ".join(str(error).split())
    return f"{text} (SQLSTATE {code})" if code else text


def _sql(statement: str | Composed) -> bytes | Composed:
    return statement.encode() if isinstance(statement, str) else statement
