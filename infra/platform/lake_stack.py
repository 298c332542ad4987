"""What must survive: the buckets, the ledger, the media index and the catalog."""

from __future__ import annotations

import json

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.platform.catalog import QUERY_RESULTS, Catalog
from infra.platform.nag_suppressions import acknowledge
from infra.platform.outputs import publish
from infra.platform.secure_bucket import HouseBucket, expire
from infra.platform.stage_stack import StageStack
from infra.stage import Stage
from sluice.contracts.load import load_registry
from sluice.observability.digest.keys import REPORTS_PREFIX
from sluice.runs.keys import RUN_RECORDS_PREFIX
from sluice.runs.runs_table import RUNS
from sluice.vendor_exports.completeness.catalog import HISTORY_TABLES
from sluice.vendor_exports.completeness.keys import history_prefix


class LakeStack(StageStack):
    """The stateful part of a stage; the other stacks can be torn down and built anew around it."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        """Build everything, the bucket of access logs first."""
        lasts = stage.keeps_data
        super().__init__(scope, construct_id, stage=stage, purpose="what must survive", termination_protection=lasts)
        self._stage = stage
        self._access_logs = self._build_access_logs()
        self.source = self._producer_bucket("Source", stage.source_bucket)
        self.media = self._producer_bucket("Media", stage.media_bucket)
        self.lake = self._build_lake()
        self.ledger = self._build_table("Ledger", expiry="expires_at")
        self.media_index = self._build_table("MediaIndex")
        self.slots = self._build_table("Slots")
        self._build_vendor_secret()
        self._catalog = self._build_catalog()
        self._publish()

    def arn_for_others(self, bucket: s3.IBucket) -> str:
        """The bucket's ARN as another stack's template shows it: an import, not yet a reference to this stack."""
        return self.export_value(bucket.bucket_arn) if isinstance(bucket, HouseBucket) else bucket.bucket_arn

    def _build_access_logs(self) -> HouseBucket:
        kept = expire("AccessLogs", "", self._stage.access_log_retention_days)
        bucket = HouseBucket(self, "AccessLogs", stage=self._stage, lifecycle_rules=[kept])
        acknowledge(bucket, "AwsSolutions-S1", "A log of the log bucket's own accesses would feed itself.")
        return bucket

    def _producer_bucket(self, construct_id: str, existing: str | None) -> s3.IBucket:
        if existing is not None:
            return s3.Bucket.from_bucket_name(self, construct_id, existing)
        # Not versioned, as the producers' own are: the same object put twice stays the same object.
        return HouseBucket(self, construct_id, stage=self._stage, access_logs=self._access_logs, announces=True)

    def _build_lake(self) -> HouseBucket:
        stage = self._stage
        return HouseBucket(
            self,
            "Lake",
            stage=stage,
            access_logs=self._access_logs,
            versioned=stage.keeps_data,
            lifecycle_rules=[
                expire("DirtyRecords", "data/dirty_json/", stage.dirty_retention_days),
                expire("UnrelatedRecords", "data/unrelated_json/", stage.dirty_retention_days),
                expire("ObjectStore", "runs/", stage.run_retention_days),
                expire("Reports", REPORTS_PREFIX, stage.run_retention_days),
                expire("QueryResults", f"{QUERY_RESULTS}/", stage.query_result_retention_days),
            ],
        )

    def _build_table(self, construct_id: str, expiry: str | None = None) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            construct_id,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=expiry,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._stage.keeps_data,
            removal_policy=RemovalPolicy.RETAIN if self._stage.keeps_data else RemovalPolicy.DESTROY,
        )

    def _build_vendor_secret(self) -> None:
        """A secret of the right form, for a person to fill: no credential is ever in a template."""
        secret = secretsmanager.Secret(
            self,
            "VendorSecret",
            secret_name=self._stage.vendor_secret,  # people look for it
            description="Credentials of the Veson data lake: put the vendor's values in place of the generated ones",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"Veson_client_id": "put the vendor's value here"}),
                generate_string_key="Veson_client_secret",
                exclude_punctuation=True,
            ),
            removal_policy=RemovalPolicy.RETAIN if self._stage.keeps_data else RemovalPolicy.DESTROY,
        )
        by_hand = "The vendor rotates its credentials itself and offers no call for it: a person puts the new ones in."
        acknowledge(secret, "AwsSolutions-SMG4", by_hand)

    def _build_catalog(self) -> Catalog:
        catalog = Catalog(self, "Catalog", stage=self._stage, lake_bucket_name=self.lake.bucket_name)
        for table in load_registry().tables():
            catalog.add_hourly(table)
        for table in HISTORY_TABLES:
            catalog.add_whole(table, history_prefix(self._stage.exports.environment, table.name))
        catalog.add_hourly_json(RUNS, RUN_RECORDS_PREFIX)
        return catalog

    def _publish(self) -> None:
        publish(
            self,
            SourceBucket=self.source.bucket_name,
            MediaBucket=self.media.bucket_name,
            LakeBucket=self.lake.bucket_name,
            LedgerTable=self.ledger.table_name,
            MediaTable=self.media_index.table_name,
            SlotsTable=self.slots.table_name,
            VendorSecret=self._stage.vendor_secret,
            Database=self._stage.database,
            Workgroup=self._stage.resource_prefix,
        )
