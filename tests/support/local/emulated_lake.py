"""A local cloud without a stage: Iceberg tables in its Glue and S3, and a workgroup of its Athena."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.platform import local_cloud
from cli.platform.local_cloud import LocalCloud
from cli.platform.session import Deployment
from sluice.contracts.model import Column, Table
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.tables_iceberg import IcebergTables
from tests.support.local.deployed_cloud import free_port

BUCKET, DATABASE, WORKGROUP = "the-lake", "sluice_x", "sluice-x"
HOUR = {"year": 2024, "month": 5, "day": 14, "hour": 10}

_numbers = count(1)


@dataclass(frozen=True)
class EmulatedLake:
    """Tables that tests make, fill and query, in the lake of a local cloud."""

    cloud: LocalCloud
    deployment: Deployment

    @property
    def tables(self) -> IcebergTables:
        """The tables of the lake."""
        return IcebergTables(self.deployment.glue, self.database, self.bucket, self.deployment.s3)

    @property
    def database(self) -> str:
        """The database of the tables."""
        return self.deployment.output("Database")

    @property
    def bucket(self) -> str:
        """The bucket of their files."""
        return self.deployment.output("LakeBucket")

    def prepare(self, name: str, **columns: str) -> str:
        """Create a table, or let it gain columns, of Glue's types; return its name."""
        self.tables.prepare(Table(name, tuple(Column(each, (), kind, "") for each, kind in columns.items()), name))
        return name

    def append(self, name: str, rows: Sequence[Mapping[str, Any]], hour: Mapping[str, int] = HOUR) -> int:
        """Add rows to an hour of a table in one file, as a run does; return the id of the snapshot."""
        run = f"run-{next(_numbers)}"
        glue, s3 = self.deployment.glue, self.deployment.s3
        schema = GlueColumns(glue, self.database, S3ObjectStore(s3, self.bucket)).schema(name)
        body = io.BytesIO()
        pq.write_table(pa.Table.from_pylist([{**row, **hour} for row in rows], schema), body)
        folders = "/".join(f"{key}={value}" for key, value in hour.items())
        key = f"data/clean_parquet/{name}.parquet/{folders}/{run}.parquet"
        s3.put_object(Bucket=self.bucket, Key=key, Body=body.getvalue())
        self.tables.append(name, run, [key])
        return self.tables.snapshots(name)[0].snapshot_id


@pytest.fixture(scope="module")
def emulated_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedLake]:
    """A local cloud for the tests of a module."""
    with lake_in(tmp_path_factory.mktemp("local") / "cloud") as lake:
        yield lake


@contextmanager
def lake_in(folder: Path) -> Iterator[EmulatedLake]:
    """Start a local cloud, and make what a stage has for tables; nothing is left running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(local_cloud.FOLDER_VARIABLE, str(folder))
        cloud = local_cloud.start(free_port())
        try:
            yield EmulatedLake(cloud, _made(cloud))
        finally:
            local_cloud.stop()


def _made(cloud: LocalCloud) -> Deployment:
    session = boto3.Session(cloud.access_key_id, cloud.secret_access_key, region_name=local_cloud.REGION)
    made = Deployment("x", session, cloud.endpoint)
    made.__dict__["outputs"] = {"LakeBucket": BUCKET, "Database": DATABASE, "Workgroup": WORKGROUP}
    made.s3.create_bucket(Bucket=BUCKET)
    made.glue.create_database(DatabaseInput={"Name": DATABASE})
    made.athena.create_work_group(
        Name=WORKGROUP,
        Configuration={
            "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/athena/"},
            "EnforceWorkGroupConfiguration": True,
        },
    )
    return made
