"""The stack of a stage, its parts, log groups, buckets and tables, and reasons for findings of the security rules."""

from collections.abc import Sequence
from typing import Any, Self, cast
from urllib.parse import quote_plus

from aws_cdk import (
    Acknowledgment,
    CfnOutput,
    CliCredentialsStackSynthesizer,
    Duration,
    Environment,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from infra.stage import Stage

PLAIN_HTTP = "The local cloud speaks plain HTTP, on the loopback interface only."


class StageStack(Stack):
    """All of a stage, in its account and region.

    One stack: what one part uses of another is never an export, which could not be removed while the other still uses
    it, so that any setting can be changed in one deployment; one that fails is taken back whole.
    """

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(
            scope,
            stage.stack_name,
            description=f"Sluice, stage {stage.name}",
            env=Environment(account=stage.account, region=stage.region),
            synthesizer=_LocalSynthesizer() if stage.local else None,
            suppress_template_indentation=True,  # CloudFormation takes a megabyte
        )
        self.stage = stage


class Part(Construct):
    """A part of a stage: the lake, a pipeline, observability."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.stage = stage_of(self)

    def publish(self, **values: str) -> None:
        """Make each value an output of the stack, under its keyword as it is: the command line reads them."""
        for name, value in values.items():
            CfnOutput(self, f"Output{name}", value=value).override_logical_id(name)


class _LocalSynthesizer(CliCredentialsStackSynthesizer):
    """Publishes and deploys with the credentials at hand, one object per stack.

    The roles of `cdk bootstrap` may reach its bucket over TLS only, and the local cloud speaks plain HTTP.
    """

    def reusable_bind(self, stack: Stack) -> Self:
        """Bind this object itself: of the copy the CDK would make, Python would get to see the unbound original."""
        self.bind(stack)
        return self


def stage_of(construct: IConstruct) -> Stage:
    """Return the stage of the stack that a construct is in."""
    return cast("StageStack", Stack.of(construct)).stage


def removal_policy(stage: Stage) -> RemovalPolicy:
    """Return what becomes of data when its stack is deleted: a first deployment that fails leaves nothing behind."""
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if stage.keeps_data else RemovalPolicy.DESTROY


def log_group(scope: Construct, name: str | None = None) -> logs.LogGroup:
    """Make a log group with the stage's retention; give a `name` only where a service demands a prefix."""
    stage = stage_of(scope)
    return logs.LogGroup(
        scope,
        "Log",
        log_group_name=name,
        retention=_RETENTION[stage.log_retention_days],
        # A group with a name of its own that outlived its stack would block the next deployment.
        removal_policy=RemovalPolicy.DESTROY if name else removal_policy(stage),
    )


def on_our_behalf(scope: Construct, source_arn: str = "") -> dict[str, dict[str, Any]]:
    """Return the conditions under which a service may act: for this account, and for a resource like the ARN."""
    account = {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}
    return {**account, "ArnLike": {"aws:SourceArn": source_arn}} if source_arn else account


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Suppress a finding of cdk-nag about the construct and all in it; the reason stays with the construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


# CloudWatch Logs keeps events for one of these numbers of days and no other.
_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


class SecureBucket(s3.Bucket):
    """A bucket that blocks public access and refuses anything but TLS 1.2.

    `access_logs` is the bucket its server access logs go to; `versioned` keeps what is replaced or deleted for
    `Stage.noncurrent_retention_days`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        access_logs: s3.IBucket | None = None,
        versioned: bool = False,
    ) -> None:
        stage = stage_of(scope)
        key = stage.kms_key if access_logs else None  # logs are delivered to no bucket with a key of one's own
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=kms.Key.from_key_arn(scope, f"{construct_id}Key", key) if key else None,
            bucket_key_enabled=bool(key),
            enforce_ssl=not stage.local,
            minimum_tls_version=None if stage.local else 1.2,
            versioned=versioned,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/" if access_logs else None,
            removal_policy=removal_policy(stage),
        )
        self.add_lifecycle_rule(
            id="AbandonedUploads", abort_incomplete_multipart_upload_after=Duration.days(stage.abandoned_upload_days)
        )
        if versioned:
            kept = Duration.days(stage.noncurrent_retention_days)
            self.add_lifecycle_rule(id="NoncurrentVersions", noncurrent_version_expiration=kept)
        if stage.local:
            acknowledge(self, "AwsSolutions-S10", PLAIN_HTTP)

    def notify(self, queue: sqs.Queue, kinds: Sequence[str], prefixes: Sequence[str] = ()) -> None:
        """Have S3 send these kinds of events (s3:…) to a queue, of all objects or of those below some prefixes."""
        # The L2 method would bring a custom resource with a function and a wildcard role along. The bucket's name is
        # known only after the queue's policy, which S3 wants to see first; every name begins as the stack's does.
        ours = Stack.of(self).format_arn(service="s3", region="", account="", resource="sluice-*")
        sending = iam.PolicyStatement(
            principals=[iam.ServicePrincipal("s3.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions=on_our_behalf(self, ours),
        )
        permission = queue.add_to_resource_policy(sending).policy_dependable
        bucket = cast("s3.CfnBucket", self.node.default_child)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event=kind, queue=queue.queue_arn, filter=below)
                for kind in kinds
                for below in (map(self._below, prefixes) if prefixes else [None])
            ]
        )
        if permission:
            bucket.node.add_dependency(permission)

    def expire(self, rule_id: str, prefix: str, days: int) -> None:
        """Remove what lies under `prefix` after so many days."""
        self.add_lifecycle_rule(id=rule_id, prefix=prefix, expiration=Duration.days(days))

    def _below(self, prefix: str) -> s3.CfnBucket.NotificationFilterProperty:
        """Return the filter of keys below a prefix: S3 wants it encoded, the local cloud does not."""
        value = prefix if stage_of(self).local else quote_plus(prefix, safe="/!'()")
        rule = s3.CfnBucket.FilterRuleProperty(name="prefix", value=value)
        return s3.CfnBucket.NotificationFilterProperty(s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[rule]))


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
            removal_policy=removal_policy(stage),
        )
