"""The local cloud's emulator as it is run here: `ministack`, with what it lacks put in piece by piece."""

import os
import secrets
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
from ministack import app as emulator
from ministack.core import lambda_runtime

from cli.emulator.dsql import serving
from cli.emulator.dsql_tokens import admit
from cli.emulator.gate import Application, Gate
from cli.emulator.postgres import Postgres


def run(application: Application | None = None) -> None:
    """Run the emulator, or what stands in front of it, behind the gate."""
    hide_credentials_of_functions()
    confine_queries()
    import_module("cli.emulator.athena").read_iceberg()  # not before: it loads services, which take the credentials
    Thread(target=serve_mart, daemon=True).start()  # it takes a second, and not everybody needs it
    emulator.app = Gate(application or emulator.app)
    emulator.main()


def hide_credentials_of_functions() -> None:
    """Have functions' secrets depend on a random text: the emulator derives them from names that everybody knows."""
    derived, salt = lambda_runtime.execution_credentials, secrets.token_hex(16)

    def credentials(function: Mapping[str, Any]) -> dict[str, str]:
        # Of the role's name only what is behind the last slash names the session; the secret depends on all of it.
        found: dict[str, str] = derived({**function, "Role": f"{salt}/{function.get('Role', '')}"})
        return found

    lambda_runtime.execution_credentials = credentials  # before the service of functions is loaded, and takes it


def confine_queries() -> None:
    """Have queries read the copies of tables, and neither other files of the user nor the network."""
    library: Any = duckdb
    connect = library.connect

    def confined(*place: str) -> duckdb.DuckDBPyConnection:
        connection: duckdb.DuckDBPyConnection = connect(*place)
        connection.execute("set allowed_directories = [$folder]", {"folder": f"{tempfile.gettempdir()}/"})
        connection.execute("set enable_external_access = false")
        return connection

    library.connect = confined


def serve_mart() -> None:
    """Serve Aurora DSQL, where the environment says, as long as the emulator is up."""
    with (
        Postgres(Path(os.environ["MART_FOLDER"])) as server,
        serving(int(os.environ["MART_PORT"]), server.socket, admit),
    ):
        Event().wait()


if __name__ == "__main__":
    run()
