"""The deployed local cloud as tests see it: the command line, and clients to look behind it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.platform import local_cloud
from cli.platform.deploy import deploy_stage
from cli.platform.session import Deployment, connect
from sluice.lake.keys import table_prefix
from tests.support.deployed_exports import DeployedExports

SLUICE = Path(sys.executable).parent / "sluice"


class CommandError(Exception):
    """The command ended with another exit code than 0; the message is all it said."""


@dataclass(frozen=True)
class Cloud:
    """A local cloud with the stage deployed into it."""

    deployment: Deployment

    def run(self, *arguments: str | Path) -> Any:
        """Run `sluice … --json` and return the document it prints."""
        command = [str(SLUICE), *map(str, arguments), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise CommandError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout)

    def client(self, service: str) -> Any:
        """Return a client of any service, for what the command line has no use for."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.deployment.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

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
        """Return the rows of a table straight from its files, those of one source object if one is named."""
        rows: list[dict[str, Any]] = []
        for key in self.keys(table_prefix(table)):
            rows += pq.read_table(pa.BufferReader(self.read(key)), partitioning=None).to_pylist()
        return [row for row in rows if source_key in {None, row["_source_key"]}]

    def count(self, table: str) -> int:
        """Return the number of rows of a table as Athena counts them."""
        rows = self.run("query", f"select count(*) as n from {table.lower()}")
        return int(rows[0]["n"])


def environment_for(folder: Path) -> None:
    """Keep this test run's cloud apart from the one a person may have running."""
    os.environ["SLUICE_LOCAL_CLOUD"] = str(folder)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start the cloud, deploy the stage, and leave nothing running."""
    environment_for(tmp_path_factory.mktemp("cloud"))
    local_cloud.start(_free_port())
    try:
        deploy_stage("local")
        yield Cloud(connect("local"))
    finally:
        local_cloud.stop()


@pytest.fixture
def deployed_exports(cloud: Cloud) -> DeployedExports:
    """Vendor exports, with no slot known yet."""
    deployed_exports = DeployedExports(cloud)
    deployed_exports.clear()
    return deployed_exports


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
