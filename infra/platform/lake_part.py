"""The lake that all pipelines share: its buckets, and the Glue tables and Athena workgroup people query it with."""

import json
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.platform.stage_stack import Part, SecureBucket, acknowledge, stage_of
from infra.stage import ProducerBucket, Stage
from sluice.contracts.model import PARTITION_KEYS, Table
from sluice.observability.digest.periods import REPORTS_PREFIX
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RUN_RECORDS_PREFIX
from sluice.runs.runs_table import runs_table

PARQUET_ROOT = "data/clean_parquet"
QUERY_RESULTS = "athena"

# Partitions are calculated, never listed: a file can be queried the moment it lies in its folder.
_PARTITION_RANGES = {"year": "2000,2099", "month": "1,12", "day": "1,31", "hour": "0,23"}


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format of files in Hive's words, and the meaning of the hours of their folders."""

    classification: str
    reader: str
    writer: str
    serde: str
    partitioned_by: str


_HIVE = "org.apache.hadoop.hive.ql.io"
PARQUET = FileFormat(
    classification="parquet",
    reader=f"{_HIVE}.parquet.MapredParquetInputFormat",
    writer=f"{_HIVE}.parquet.MapredParquetOutputFormat",
    serde=f"{_HIVE}.parquet.serde.ParquetHiveSerDe",
    partitioned_by="of the event's time, UTC",
)
JSON = FileFormat(
    classification="json",
    reader="org.apache.hadoop.mapred.TextInputFormat",
    writer=f"{_HIVE}.HiveIgnoreKeyTextOutputFormat",
    serde="org.openx.data.jsonserde.JsonSerDe",
    partitioned_by="of the record's start, UTC",
)


class Catalog(Construct):
    """The tables of the lake for Athena and everything else that reads the Glue catalog."""

    def __init__(self, scope: Construct, construct_id: str, *, lake_bucket_name: str) -> None:
        super().__init__(scope, construct_id)
        stage = stage_of(self)
        self._lake = lake_bucket_name
        self._database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=stage.database, description=f"Clean events, stage {stage.name}"
            ),
        )
        self._build_workgroup(stage)

    def add(
        self,
        scope: Construct,
        table: Table,
        prefix: str = "",
        *,
        file_format: FileFormat = PARQUET,
        hourly: bool = True,
    ) -> None:
        """Add a table to a stack; its files lie under a prefix of the lake, `hourly` in a folder per hour."""
        location = f"s3://{self._lake}/{prefix or f'{PARQUET_ROOT}/{table.name}.parquet/'}"
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
                    _column(key, "int", file_format.partitioned_by) for key in (PARTITION_KEYS if hourly else ())
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
                    output_location=f"s3://{self._lake}/{QUERY_RESULTS}/", encryption_configuration=encrypted
                ),
            ),
        )


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


class LakePart(Part):
    """Buckets and catalog."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Lake")
        stage = self.stage
        self._access_logs = SecureBucket(self, "AccessLogs")
        self._access_logs.expire("AccessLogs", "", stage.access_log_retention_days)
        acknowledge(self._access_logs, "AwsSolutions-S1", "A log of the log bucket's own accesses would feed itself.")
        self.source = self._producer_bucket("Source", stage.source)
        self.media = self._producer_bucket("Media", stage.media)
        self.bucket = SecureBucket(self, "Bucket", access_logs=self._access_logs, versioned=stage.keeps_data)
        self.bucket.expire("RunFiles", "runs/", stage.run_retention_days)
        self.bucket.expire("Reports", REPORTS_PREFIX, stage.run_retention_days)
        self.bucket.expire("QueryResults", f"{QUERY_RESULTS}/", stage.query_result_retention_days)
        self.catalog = Catalog(self, "Catalog", lake_bucket_name=self.bucket.bucket_name)
        self.catalog.add(self, runs_table(RUN_KINDS.values()), RUN_RECORDS_PREFIX, file_format=JSON)
        self.publish(
            SourceBucket=self.source.bucket_name,
            SourceOwner=stage.source.owner or Aws.ACCOUNT_ID,
            SourcePrefixes=json.dumps(stage.source.prefixes),
            MediaBucket=self.media.bucket_name,
            MediaOwner=stage.media.owner or Aws.ACCOUNT_ID,
            MediaPrefixes=json.dumps(stage.media.prefixes),
            LakeBucket=self.bucket.bucket_name,
            Database=stage.database,
            Workgroup=stage.resource_prefix,
        )

    def _producer_bucket(self, construct_id: str, wanted: ProducerBucket) -> s3.IBucket:
        if wanted.existing:
            return s3.Bucket.from_bucket_name(self, construct_id, wanted.existing)
        # Not versioned, as the producers' own are: the same object put twice stays the same object.
        return SecureBucket(self, construct_id, access_logs=self._access_logs)
