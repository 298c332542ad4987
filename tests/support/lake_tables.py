"""Iceberg tables of the lake in moto's Glue and S3, as the deployment makes them."""

import copy
from collections import defaultdict
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from moto import mock_aws
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.glue.models import glue_backends
from moto.glue.responses import GlueResponse
from moto.s3.models import s3_backends

from sluice.aws import runtime
from sluice.contracts.load import load_registry
from sluice.contracts.model import Table
from sluice.lake.columns_glue import file_schema
from sluice.lake.object_store import TABLES_PREFIX
from sluice.lake.schemas_iceberg import schema_of as schema_of_table
from sluice.lake.tables_iceberg import IcebergTables
from sluice.pipelines import RUN_KINDS
from sluice.runs.runs_table import runs_table
from sluice.vendor_exports.completeness.history_files import HISTORY_TABLES
from tests.support.moto.backend import objects_of

DATABASE = "lake"
REGION = "us-east-1"
ALL_TABLES = (*load_registry().tables(), runs_table(RUN_KINDS.values()), *HISTORY_TABLES)

_update_table = GlueResponse.update_table


@cache
def schema_of(table: str) -> pa.Schema:
    """Return the columns that files of a table have, as those of a new table of the catalog."""
    (found,) = [each for each in ALL_TABLES if each.name == table]
    return columns_of(found)


def columns_of(table: Table) -> pa.Schema:
    """Return the columns that files of any table have."""
    return file_schema(schema_of_table(table).model_dump(by_alias=True, mode="json"))


def prepare_tables(bucket: str) -> None:
    """Put all tables into moto's Glue and S3, as the deployment makes them, unless they are there."""
    glue = glue_backends[DEFAULT_ACCOUNT_ID][REGION]
    if DATABASE in glue.databases:
        return
    databases, objects = new_tables(bucket)
    glue.databases.update(copy.deepcopy(databases))
    for key, body in objects.items():
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, body)


@cache
def new_tables(bucket: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what moto's Glue and S3 hold of new tables; to be called first outside of any other use of moto."""
    with mock_aws():
        runtime.s3().create_bucket(Bucket=bucket)
        runtime.glue().create_database(DatabaseInput={"Name": DATABASE})
        tables = IcebergTables(runtime.glue(), DATABASE, bucket)
        for table in ALL_TABLES:
            tables.prepare(table)
        return dict(glue_backends[DEFAULT_ACCOUNT_ID][REGION].databases), objects_of(bucket)


def rows_of(bucket: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table that has some, in no order."""
    prepare_tables(bucket)
    tables, bodies = IcebergTables(runtime.glue(), DATABASE, bucket), objects_of(bucket, TABLES_PREFIX)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table in ALL_TABLES:
        for task in tables._load(table.name).scan().plan_files():  # PyIceberg's own reader makes empty lists of nulls
            body = bodies[task.file.file_path.removeprefix(f"s3://{bucket}/")]
            found[table.name] += pq.read_table(pa.BufferReader(body)).to_pylist()
    return found


def data_files(bucket: str) -> dict[str, bytes]:
    """Return the Parquet files in the folders of the tables, whether a table has them or not."""
    return {key: body for key, body in objects_of(bucket, TABLES_PREFIX).items() if key.endswith(".parquet")}


def check_versions() -> None:
    """Let moto's Glue refuse an update of a table that has changed since it was read, as AWS does."""
    setattr(GlueResponse, "update_table", _update_unchanged_table)  # noqa: B010


def _update_unchanged_table(response: GlueResponse) -> Any:
    asked = response.parameters.get("VersionId")
    database, name = response.parameters["DatabaseName"], response.parameters["TableInput"]["Name"]
    there = response.glue_backend.get_table(database, name).as_dict()["VersionId"]
    if asked is not None and asked != there:
        raise JsonRESTError("ConcurrentModificationException", f"Table {name} was modified by another process")
    return _update_table(response)
