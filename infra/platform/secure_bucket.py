"""Buckets as this house makes them: private, encrypted, reached over TLS only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.platform.nag_suppressions import PLAIN_HTTP, acknowledge
from infra.stage import Stage


class HouseBucket(s3.Bucket):
    """A bucket that blocks public access, refuses anything but TLS 1.2, and goes with its stage.

    `access_logs` is the bucket its server access logs go to; `versioned` keeps what is replaced or deleted for
    `Stage.noncurrent_retention_days`; `announces` publishes object events to EventBridge.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        access_logs: s3.IBucket | None = None,
        versioned: bool = False,
        announces: bool = False,
        lifecycle_rules: Sequence[s3.LifecycleRule] = (),
    ) -> None:
        """Build the bucket."""
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
            lifecycle_rules=[*lifecycle_rules, *_housekeeping(stage, versioned=versioned)],
            removal_policy=RemovalPolicy.RETAIN if stage.keeps_data else RemovalPolicy.DESTROY,
            auto_delete_objects=not stage.keeps_data and not stage.local,
        )
        if announces:
            self._announce_to_event_bridge()
        if stage.local:
            acknowledge(self, "AwsSolutions-S10", PLAIN_HTTP)

    def _announce_to_event_bridge(self) -> None:
        # The L2 property would bring a custom resource with a function and a wildcard role along.
        bucket = cast("s3.CfnBucket", self.node.default_child)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )


def expire(rule_id: str, prefix: str, days: int) -> s3.LifecycleRule:
    """Remove what lies under `prefix` after so many days."""
    return s3.LifecycleRule(id=rule_id, prefix=prefix, expiration=Duration.days(days))


def _housekeeping(stage: Stage, *, versioned: bool) -> list[s3.LifecycleRule]:
    rules = [
        s3.LifecycleRule(
            id="AbandonedUploads", abort_incomplete_multipart_upload_after=Duration.days(stage.abandoned_upload_days)
        )
    ]
    if versioned:
        kept = Duration.days(stage.noncurrent_retention_days)
        rules.append(s3.LifecycleRule(id="NoncurrentVersions", noncurrent_version_expiration=kept))
    return rules
