"""Buckets and tables: private, encrypted, over TLS only, kept where the stage keeps its data."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.platform.stage_stack import PLAIN_HTTP, acknowledge, removal_policy, stage_of


class SecureBucket(s3.Bucket):
    """A bucket that blocks public access and refuses anything but TLS 1.2.

    `access_logs` is the bucket its server access logs go to; `versioned` keeps what is replaced or deleted for
    `Stage.noncurrent_retention_days`; `notifies` publishes object events to EventBridge.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        access_logs: s3.IBucket | None = None,
        versioned: bool = False,
        notifies: bool = False,
    ) -> None:
        stage = stage_of(scope)
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=not stage.local,
            minimum_tls_version=None if stage.local else 1.2,
            versioned=versioned,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/" if access_logs else None,
            removal_policy=removal_policy(stage),
            auto_delete_objects=not stage.keeps_data and not stage.local,
        )
        self.add_lifecycle_rule(
            id="AbandonedUploads", abort_incomplete_multipart_upload_after=Duration.days(stage.abandoned_upload_days)
        )
        if versioned:
            kept = Duration.days(stage.noncurrent_retention_days)
            self.add_lifecycle_rule(id="NoncurrentVersions", noncurrent_version_expiration=kept)
        if notifies:
            # The L2 property would bring a custom resource with a function and a wildcard role along.
            bucket = cast("s3.CfnBucket", self.node.default_child)
            bucket.add_property_override("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True)
        if stage.local:
            acknowledge(self, "AwsSolutions-S10", PLAIN_HTTP)

    def expire(self, rule_id: str, prefix: str, days: int) -> None:
        """Remove what lies under `prefix` after so many days."""
        self.add_lifecycle_rule(id=rule_id, prefix=prefix, expiration=Duration.days(days))


class StateTable(dynamodb.Table):
    """A table of items by `pk` and `sk`; those with a time in the attribute `expiry` go when it is over."""

    def __init__(self, scope: Construct, construct_id: str, expiry: str | None = None) -> None:
        stage = stage_of(scope)
        super().__init__(
            scope,
            construct_id,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=expiry,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=stage.keeps_data,
            removal_policy=removal_policy(stage),
        )
