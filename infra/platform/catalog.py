"""The catalog of the lake: the Glue database of its tables, and the Athena workgroup people query them with."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Aws, CustomResource, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.stage_stack import SecureBucket, removal_policy, stage_of
from infra.stage import Stage
from sluice.contracts.model import PARTITION_KEYS, Column, Table
from sluice.lake.object_store import table_prefix
from sluice.observability.metrics import PLATFORM

QUERY_RESULTS = "athena"

# Partitions are calculated, never listed: a file can be queried the moment it lies in its folder.
_PARTITION_RANGES = {"year": "2000,2099", "month": "1,12", "day": "1,31", "hour": "0,23"}


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format of files in Hive's words."""

    classification: str
    reader: str
    writer: str
    serde: str


_HIVE = "org.apache.hadoop.hive.ql.io"
PARQUET = FileFormat(
    classification="parquet",
    reader=f"{_HIVE}.parquet.MapredParquetInputFormat",
    writer=f"{_HIVE}.parquet.MapredParquetOutputFormat",
    serde=f"{_HIVE}.parquet.serde.ParquetHiveSerDe",
)
JSON = FileFormat(
    classification="json",
    reader="org.apache.hadoop.mapred.TextInputFormat",
    writer=f"{_HIVE}.HiveIgnoreKeyTextOutputFormat",
    serde="org.openx.data.jsonserde.JsonSerDe",
)


class Catalog(Construct):
    """The tables of the lake for Athena and everything else that reads the Glue catalog.

    Those in Iceberg are resources of a function's: the catalog's entry of such a table changes with every commit, and
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
        """Add an Iceberg table to a part; it changes with its columns, and goes with the part unless data is kept."""
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

    def add_files(
        self, scope: Construct, table: Table, prefix: str, *, file_format: FileFormat = PARQUET, hourly: bool = True
    ) -> None:
        """Add a table that is what lies under a prefix of the lake, `hourly` in a folder per hour."""
        location = f"s3://{self._lake.bucket_name}/{prefix}"
        parameters = {"classification": file_format.classification, "EXTERNAL": "TRUE"}
        glue.CfnTable(
            scope,
            table.name,
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self._database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=table.name.lower(),
                description=table.doc,
                table_type="EXTERNAL_TABLE",
                parameters={**parameters, **_projection(location)} if hourly else parameters,
                partition_keys=[
                    _column(key, "int", "of the record's start, UTC") for key in (PARTITION_KEYS if hourly else ())
                ],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[_column(column.name, column.type, column.doc) for column in table.columns],
                    location=location,
                    input_format=file_format.reader,
                    output_format=file_format.writer,
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=file_format.serde),
                ),
            ),
        )

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


def _column(name: str, hive_type: str, doc: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=hive_type, comment=doc)


def _projection(location: str) -> dict[str, str]:
    parameters = {"projection.enabled": "true"}
    for key in PARTITION_KEYS:
        parameters[f"projection.{key}.type"] = "integer"
        parameters[f"projection.{key}.range"] = _PARTITION_RANGES[key]
    folders = "/".join(f"{key}=${{{key}}}" for key in PARTITION_KEYS)
    parameters["storage.location.template"] = f"{location}{folders}/"
    return parameters
