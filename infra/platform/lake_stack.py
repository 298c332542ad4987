"""The lake: the buckets and the catalog that all pipelines share."""

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.platform.catalog import JSON, QUERY_RESULTS, Catalog
from infra.platform.stage_stack import StageStack, acknowledge
from infra.platform.storage import SecureBucket
from infra.stage import Stage
from sluice.observability.digest.periods import REPORTS_PREFIX
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RUN_RECORDS_PREFIX
from sluice.runs.runs_table import runs_table


class LakeStack(StageStack):
    """Buckets and catalog; the other stacks can be torn down and built anew around it, but for their own state."""

    def __init__(self, scope: Construct, *, stage: Stage) -> None:
        super().__init__(scope, "Lake", stage=stage, purpose="buckets and catalog")
        self.termination_protection = stage.keeps_data
        self._access_logs = SecureBucket(self, "AccessLogs")
        self._access_logs.expire("AccessLogs", "", stage.access_log_retention_days)
        acknowledge(self._access_logs, "AwsSolutions-S1", "A log of the log bucket's own accesses would feed itself.")
        self.source = self._producer_bucket("Source", stage.source_bucket)
        self.media = self._producer_bucket("Media", stage.media_bucket)
        self.bucket = SecureBucket(self, "Lake", access_logs=self._access_logs, versioned=stage.keeps_data)
        self.bucket.expire("RunFiles", "runs/", stage.run_retention_days)
        self.bucket.expire("Reports", REPORTS_PREFIX, stage.run_retention_days)
        self.bucket.expire("QueryResults", f"{QUERY_RESULTS}/", stage.query_result_retention_days)
        # ARNs as other stacks' templates show them: imports, not yet references to this stack.
        self.bucket_arn = self.export_value(self.bucket.bucket_arn)
        self.source_arn = self.source.bucket_arn if stage.source_bucket else self.export_value(self.source.bucket_arn)
        self.catalog = Catalog(self, "Catalog", lake_bucket_name=self.bucket.bucket_name)
        self.catalog.add(self, runs_table(RUN_KINDS.values()), RUN_RECORDS_PREFIX, file_format=JSON)
        self.publish(
            SourceBucket=self.source.bucket_name,
            MediaBucket=self.media.bucket_name,
            LakeBucket=self.bucket.bucket_name,
            Database=stage.database,
            Workgroup=stage.resource_prefix,
        )

    def _producer_bucket(self, construct_id: str, existing: str | None) -> s3.IBucket:
        if existing is not None:
            return s3.Bucket.from_bucket_name(self, construct_id, existing)
        # Not versioned, as the producers' own are: the same object put twice stays the same object.
        return SecureBucket(self, construct_id, access_logs=self._access_logs, notifies=True)
