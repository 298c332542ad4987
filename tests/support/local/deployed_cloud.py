"""The local cloud with the stage deployed into it, once per run of tests, on a port of its own."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.config import Config
from typer.testing import CliRunner

from cli.main import app
from cli.platform import local_cloud
from cli.platform.deploy import deploy_stage
from cli.platform.session import Deployment, connect
from sluice.lake.tables_iceberg import IcebergTables
from sluice.pipelines import RUN_KINDS

T = TypeVar("T")


class CommandError(Exception):
    """A command failed; the message has all of its output."""


@dataclass(frozen=True)
class CommandResult:
    """Output of a command: its exit code, the document of `--json`, and standard error."""

    exit_code: int
    document: Any
    stderr: str


@dataclass(frozen=True)
class Cloud:
    """The command line, and clients to see what it did."""

    deployment: Deployment

    def run(self, *arguments: str | Path) -> Any:
        """Run `sluice … --json` and return the document it prints."""
        result = self.invoke(*arguments)
        if result.exit_code:
            raise CommandError(f"sluice {arguments} ended with {result.exit_code}:\n{result.stderr}")
        return result.document

    def invoke(self, *arguments: str | Path) -> CommandResult:
        """Run `sluice … --json` in this process, as a new one takes seconds to start, and return its result."""
        done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return CommandResult(done.exit_code, json.loads(done.stdout or "null"), done.stderr)

    def client(self, service: str) -> Any:
        """Return a client of any service."""
        return self.deployment.client(service, Config())

    def output(self, name: str) -> str:
        """Return an output of the stage's stacks."""
        return self.deployment.output(name)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the lake bucket under a prefix."""
        pages = self.deployment.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.output("LakeBucket"), Prefix=prefix
        )
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def read(self, key: str) -> bytes:
        """Return an object of the lake bucket."""
        return self.deployment.s3.get_object(Bucket=self.output("LakeBucket"), Key=key)["Body"].read()

    def rows(self, table: str, source_key: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of a table, of all source objects or of one."""
        deployment = self.deployment
        tables = IcebergTables(deployment.glue, self.output("Database"), self.output("LakeBucket"), deployment.s3)
        rows: list[dict[str, Any]] = []
        for task in tables._load(table).scan().plan_files():  # PyIceberg's own reader makes empty lists of nulls
            body = self.read(task.file.file_path.removeprefix(f"s3://{self.output('LakeBucket')}/"))
            rows += pq.read_table(pa.BufferReader(body), partitioning=None).to_pylist()
        return [row for row in rows if source_key is None or row["_source_key"] == source_key]


def wait_until(look: Callable[[], T], seconds: float = 600) -> T:
    """Return the first true value of `look`, called again and again; CommandError counts as false."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(CommandError):
            if found := look():
                return found
        time.sleep(0.2)
    raise AssertionError(f"nothing was found within {seconds} seconds")


def settle(cloud: Cloud) -> None:
    """Wait for what commands do not wait for: functions that a queue calls end, and ended executions are recorded."""
    wait_until(lambda: cloud.run("status")["queue"]["in_flight"] == 0)
    ended = set(_ended(cloud))
    wait_until(lambda: ended <= {run["execution"] for run in cloud.run("runs", "--limit", str(2 * len(ended) + 1))})


def _ended(cloud: Cloud) -> Iterator[str]:
    listing = cloud.deployment.stepfunctions.get_paginator("list_executions")
    for machine in {kind.machine_output for kind in RUN_KINDS.values()} & cloud.deployment.outputs.keys():
        pages = listing.paginate(stateMachineArn=cloud.output(machine))
        for execution in (execution for page in pages for execution in page["executions"]):
            if execution["status"] != "RUNNING":
                yield execution["executionArn"]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start a cloud apart from one that a person may have running, deploy the stage, and leave nothing running."""
    os.environ[local_cloud.FOLDER_VARIABLE] = str(tmp_path_factory.mktemp("cloud"))
    local_cloud.start(free_port())
    try:
        deploy_stage("local")
        yield Cloud(connect("local"))
    finally:
        local_cloud.stop()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
