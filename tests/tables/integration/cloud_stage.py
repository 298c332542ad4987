"""The use cases of the event file pipeline on the local cloud, and whatever reads its tables."""

from collections.abc import Iterable

from botocore.config import Config

from cli.platform.session import Deployment
from sluice.contracts.model import Table
from sluice.lake.tables_iceberg import IcebergTables
from tests.support.lake_tables import DATABASE
from tests.support.local.emulated_lake import WORKGROUP, EmulatedLake
from tests.support.moto.aws_calls import AwsCalls
from tests.support.moto.backend import create_table
from tests.support.moto.stage import LAKE, LEDGER, MEDIA, MEDIA_INDEX, SOURCE, MotoStage


class CloudStage(MotoStage):
    """The use cases, with clients of their own."""

    def prepare(self) -> None:
        """Do nothing: its tables are made with it."""


def made(lake: EmulatedLake, tables: Iterable[Table]) -> Deployment:
    """Make buckets, ledger and tables, and return how to reach them."""
    found = Deployment("x", lake.deployment.session, lake.deployment.endpoint)
    found.__dict__["outputs"] = {"LakeBucket": LAKE, "Database": DATABASE, "Workgroup": WORKGROUP}
    for bucket in (SOURCE, LAKE, MEDIA):
        found.s3.create_bucket(Bucket=bucket)
    for table in (LEDGER, MEDIA_INDEX):
        create_table(found.dynamodb, table)
    found.glue.create_database(DatabaseInput={"Name": DATABASE})
    for each in tables:
        IcebergTables(found.glue, DATABASE, LAKE, found.s3).prepare(each)
    return found


def cloud_stage(deployment: Deployment) -> CloudStage:
    """Return the use cases on what was made."""
    once = Config(retries={"total_max_attempts": 1})
    s3, dynamodb, glue = (deployment.client(each, once) for each in ("s3", "dynamodb", "glue"))
    return CloudStage(s3, dynamodb, glue, AwsCalls((s3, dynamodb, glue)))
