"""The catalog of the lake: the Glue database of its tables, and the Athena workgroup people query them with."""

from collections.abc import Sequence

from aws_cdk import Aws, CustomResource, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.stage_stack import SecureBucket, removal_policy, stage_of
from infra.stage import Stage
from sluice.contracts.model import Column, Table
from sluice.lake.object_store import table_prefix
from sluice.observability.metrics import PLATFORM

QUERY_RESULTS = "athena"


class Catalog(Construct):
    """The tables of the lake for Athena and everything else that reads the Glue catalog.

    They are resources of a function's: the catalog's entry of an Iceberg table changes with every commit, and
    CloudFormation would put its own back.
    """

    def __init__(self, scope: Construct, *, lake: SecureBucket) -> None:
        super().__init__(scope, "Catalog")
        stage = stage_of(self)
        self._lake = lake
        self._database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=stage.database, description=f"Clean events, stage {stage.name}"
            ),
        )
        self._build_workgroup(stage)
        self.prepare_tables = self._build_preparation(stage)

    def add(self, scope: Construct, table: Table) -> None:
        """Add a table to a part; it changes with its columns, and goes with the part unless data is kept."""
        added = CustomResource(
            scope,
            table.name,
            service_token=self.prepare_tables.arn,
            resource_type="Custom::IcebergTable",
            properties={
                "Name": table.name,
                "Doc": table.doc,
                "Columns": _columns(table.columns),
                "Partition": _columns(table.partition),
                **({"KeptDays": str(table.kept_days)} if table.kept_days else {}),
            },
            removal_policy=removal_policy(stage_of(self)),
        )
        added.node.add_dependency(self.prepare_tables.role, self._database)

    def let_commit(self, function: PythonFunction, *tables: str) -> None:
        """Let a function read tables of these names, or all, and commit to them."""
        folders = [f"{self._lake.bucket_arn}/{table_prefix(table)}" for table in tables or ("*",)]
        function.allow(["glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"], self._arns(*tables), _TABLES)
        function.allow(["s3:GetObject"], [f"{folder}*" for folder in folders], _FILES)
        function.allow(["s3:PutObject", "s3:DeleteObject"], [f"{folder}metadata/*" for folder in folders], _FILES)

    def let_publish(self, function: PythonFunction, *tables: str) -> None:
        """Let a function commit to tables of these names files that it writes itself."""
        self.let_commit(function, *tables)
        written = [f"{self._lake.bucket_arn}/{table_prefix(table)}*.parquet" for table in tables]
        function.allow(["s3:PutObject"], written, _FILES)

    def let_list(self, function: PythonFunction) -> None:
        """Let a function see which tables there are."""
        function.allow(["glue:GetTables"], self._arns(), _TABLES)

    def let_read_columns(self, function: PythonFunction) -> None:
        """Let a function read what columns the tables have."""
        function.allow(["glue:GetTable"], self._arns(), _TABLES)
        function.allow(["s3:GetObject"], [f"{self._lake.bucket_arn}/{table_prefix('*')}metadata/*"], _FILES)

    def _arns(self, *tables: str) -> list[str]:
        """Return what Glue wants to see allowed: the catalog, the database, and tables of these names, or all."""
        database = stage_of(self).database
        names = [f"table/{database}/{table.lower()}" for table in tables or ("*",)]
        if stage_of(self).local:  # the emulator takes the database that is asked for by name for a table
            names.append(f"table/{database}")
        return [
            Stack.of(self).format_arn(service="glue", resource=each)
            for each in ("catalog", f"database/{database}", *names)
        ]

    def _build_preparation(self, stage: Stage) -> PythonFunction:
        function = PythonFunction(
            self,
            "prepare_tables",
            "arrow",
            "tables",
            pipeline=PLATFORM,
            purpose="Creates the tables of the lake, and lets them gain columns",
            size=stage.prepare_tables,
            environment={"LAKE_BUCKET": self._lake.bucket_name, "DATABASE": stage.database},
        )
        self.let_commit(function)
        function.allow(["glue:CreateTable", "glue:DeleteTable"], self._arns(), _TABLES)
        function.allow_list(self._lake.bucket_arn)
        return function

    def _build_workgroup(self, stage: Stage) -> None:
        encrypted = athena.CfnWorkGroup.EncryptionConfigurationProperty(
            encryption_option="SSE_KMS" if stage.kms_key else "SSE_S3", kms_key=stage.kms_key
        )
        athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=stage.resource_prefix,
            description=f"Queries of the clean events, stage {stage.name}",
            recursive_delete_option=True,  # what it deletes is the history of queries; their results are objects
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=stage.query_scan_limit_gib * 1024**3,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self._lake.bucket_name}/{QUERY_RESULTS}/",
                    encryption_configuration=encrypted,
                ),
            ),
        )


_TABLES = "Tables of the stage's own database; which there are, contracts say."
_FILES = "Files are named by runs and snapshots; their folders are fixed."


def _columns(columns: Sequence[Column]) -> list[dict[str, str]]:
    return [{"Name": column.name, "Type": column.type, "Doc": column.doc} for column in columns]
