"""A Trino server whose Iceberg catalog is a local cloud's Glue and S3."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cli.platform.local_cloud import REGION, LocalCloud
from tests.referees.trino.engine import TRINO, parts
from tests.support.local.deployed_cloud import free_port

_STARTS = 180  # seconds, on a busy machine
_CATALOG = "lake"


class TrinoError(Exception):
    """Trino refuses or fails a query."""


@dataclass(frozen=True, slots=True)
class Trino:
    """A server that runs; `database` is where its queries look for tables."""

    address: str
    database: str

    def query(self, sql: str) -> list[list[Any]]:
        """Return the rows of a query, as JSON has their values: structs are lists, times are texts."""
        return self.result(sql)[1]

    def result(self, sql: str) -> tuple[list[str], list[list[Any]]]:
        """Return the names of a query's columns, and its rows."""
        headers = {
            "X-Trino-User": "referee",
            "X-Trino-Catalog": _CATALOG,
            "X-Trino-Schema": self.database,
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",  # times as fine as they are, else in milliseconds
        }
        names: list[str] = []
        rows: list[list[Any]] = []
        with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
            page = client.post(f"{self.address}/v1/statement", content=sql).raise_for_status().json()
            while "nextUri" in page:
                page = client.get(page["nextUri"]).raise_for_status().json()
                names = names or [column["name"] for column in page.get("columns", ())]
                rows += page.get("data", ())
        if "error" in page:
            raise TrinoError(f"{page['error']['errorName']}: {page['error']['message']}\n{sql}")
        return names, rows

    def is_ready(self) -> bool:
        """Tell whether it takes queries."""
        try:
            return not httpx.get(f"{self.address}/v1/info", trust_env=False).json()["starting"]
        except (httpx.HTTPError, ValueError, KeyError):
            return False


@contextmanager
def running(cloud: LocalCloud, database: str, folder: Path) -> Iterator[Trino]:
    """Run a server that keeps its files in a folder; it has ended afterwards."""
    java_command, engine, connector = parts()
    port = free_port()
    (folder / "plugin").mkdir()
    (folder / "plugin" / "iceberg").symlink_to(connector)
    _write(folder / "config.properties", _settings(port, folder))
    (folder / "catalogs").mkdir()
    _write(folder / "catalogs" / f"{_CATALOG}.properties", _catalog(cloud))
    command: list[str | Path] = [
        *(java_command, "-Xmx1500m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *("--add-modules", "jdk.incubator.vector", "--sun-misc-unsafe-memory-access=allow"),
        *("-Dconfig=config.properties", "-cp", f"{engine}/*", Path(__file__).parent / "Trino.java", TRINO.version),
    ]
    log = folder / "server.log"
    with log.open("w") as lines:
        process = subprocess.Popen(command, cwd=folder, stdout=lines, stderr=lines, env=_environment())
    try:
        server = Trino(f"http://127.0.0.1:{port}", database)
        end = time.monotonic() + _STARTS
        while not server.is_ready():
            if process.poll() is not None or time.monotonic() > end:
                raise TrinoError(f"Trino did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.5)
        yield server
    finally:
        process.terminate()
        process.wait(60)


def _settings(port: int, folder: Path) -> dict[str, object]:
    return {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "node.environment": "referees",
        "node.bind-ip": "127.0.0.1",
        "node.internal-address": "127.0.0.1",
        "http-server.http.port": port,
        "discovery.uri": f"http://127.0.0.1:{port}",
        "plugin.dir": folder / "plugin",
        "catalog.config-dir": folder / "catalogs",
    }


def _catalog(cloud: LocalCloud) -> dict[str, object]:
    access = {"region": REGION, "aws-access-key": cloud.access_key_id, "aws-secret-key": cloud.secret_access_key}
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        "hive.metastore.glue.endpoint-url": cloud.endpoint,
        **{f"hive.metastore.glue.{name}": value for name, value in access.items()},
        "fs.s3.enabled": "true",
        "s3.endpoint": cloud.endpoint,
        "s3.path-style-access": "true",
        **{f"s3.{name}": value for name, value in access.items()},
    }


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _write(path: Path, settings: dict[str, object]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
