"""The lake that all pipelines share: its buckets, and the Glue tables and Athena workgroup people query it with."""

import json

from aws_cdk import Aws
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.platform.catalog import QUERY_RESULTS, Catalog
from infra.platform.stage_stack import Part, SecureBucket, acknowledge
from infra.stage import ProducerBucket
from sluice.observability.digest.periods import REPORTS_PREFIX
from sluice.pipelines import RUN_KINDS
from sluice.runs.runs_table import runs_table


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
        self.catalog = Catalog(self, lake=self.bucket)
        self.catalog.add(self, runs_table(RUN_KINDS.values()))
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
