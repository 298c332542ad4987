"""Lambda functions, all made alike, the layers they share in a stack, and grants to roles of exact actions."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.layers.layer_builder import NATIVE, SLUICE, LayerBuild
from infra.platform.stage_stack import acknowledge, log_group, on_our_behalf, stage_of
from infra.stage import FunctionSize

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"

Conditions = Mapping[str, Mapping[str, str | list[str]]]
"""Operators, and the values of condition keys by these."""


class PythonFunction(Construct):
    """A Python function with its own role, its own log group and traces.

    The code is the folder `functions/<pipeline>/<folder>`, which names the construct, too; the handler its
    `handler.handler`. `layers` are those it needs besides the package sluice and what that always needs. The role may
    write to the function's own log group and traces; everything else is allowed one by one with `allow`. Its metrics
    carry the stage and the pipeline.
    """

    def __init__(
        self,
        scope: Construct,
        folder: str,
        *layers: str,
        pipeline: str,
        purpose: str,
        size: FunctionSize,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, folder.title().replace("_", ""))
        stage = stage_of(self)
        self.folder = folder
        self.purpose = purpose
        self.size = size
        self.timeout = Duration.seconds(size.timeout_seconds)
        self.log_group = log_group(self)
        # For whom Lambda polls queues is not documented to the ARN, so the account has to do.
        service = iam.ServicePrincipal("lambda.amazonaws.com", conditions=on_our_behalf(self))
        self.role = iam.Role(self, "Role", assumed_by=service)
        self.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn])
        self.allow(TRACE_ACTIONS, ["*"], TRACE_REASON)
        self.function = lambda_.Function(
            self,
            "Function",
            description=purpose,
            code=lambda_.Code.from_asset(str(FUNCTIONS / pipeline / folder), exclude=["**/__pycache__", "**/*.pyc"]),
            handler="handler.handler",
            runtime=lambda_.Runtime(f"python{stage.python_version}", lambda_.RuntimeFamily.PYTHON),
            architecture=_ARCHITECTURES[stage.architecture],
            memory_size=size.memory_mb,
            timeout=self.timeout,
            reserved_concurrent_executions=size.reserved_concurrency,
            role=self.role.without_policy_updates(),  # the CDK would grant more than is needed
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            layers=[layer(Stack.of(self), name) for name in (SLUICE, "runtime", *layers)],
            environment={
                "LOG_LEVEL": stage.log_level,
                "POWERTOOLS_SERVICE_NAME": folder,
                "STAGE": stage.name,
                "PIPELINE": pipeline,
                **environment,
            },
        )
        self.name = self.function.function_name
        self.arn = self.function.function_arn
        acknowledge(self, "Serverless-LambdaDLQ", _KEPT)
        if stage.local:
            acknowledge(self, "AwsSolutions-L1", _NEWEST_LOCALLY)
            acknowledge(self, "Serverless-LambdaLatestVersion", _NEWEST_LOCALLY)

    def allow(
        self, actions: Sequence[str], resources: Sequence[str], why: str = "", conditions: Conditions | None = None
    ) -> None:
        """Let the function do `actions` on `resources`; a wildcard needs a reason (`allow` below)."""
        # The emulator does not know what a request's conditions are about.
        allow(self.role, actions, resources, why, None if stage_of(self).local else conditions)

    def allow_items(self, table_arn: str, actions: Sequence[str], keys: Sequence[str]) -> None:
        """Let the function do `actions` on those items of a table whose partition keys are like one of `keys`."""
        # All of no keys would be like any: a request has to name some.
        named = {"Null": {"dynamodb:LeadingKeys": "false"}}
        alike = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [*keys]}}
        self.allow([f"dynamodb:{action}" for action in actions], [table_arn], conditions={**named, **alike})

    def allow_creating(self, resources: Sequence[str], why: str) -> None:
        """Let the function write objects that are not there yet, in one piece: it can replace none, nor lose any."""
        self.allow(["s3:PutObject"], resources, why, {"Null": {"s3:if-none-match": "false"}})

    def allow_list(self, bucket_arn: str) -> None:
        """Let the function list a bucket: without that, S3 says "forbidden" of an object that is missing."""
        self.allow(["s3:ListBucket"], [bucket_arn])

    def keep_failed_calls(self, letters: sqs.IQueue) -> None:
        """Keep the calls of a schedule that fail three times: it does not wait for their answers."""
        failed = lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=letters.queue_arn)
        kept = lambda_.CfnEventInvokeConfig(
            self,
            "FailedCalls",
            function_name=self.name,
            qualifier="$LATEST",
            maximum_retry_attempts=2,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(on_failure=failed),
        )
        self.allow(["sqs:SendMessage"], [letters.queue_arn])
        kept.node.add_dependency(self.role)


def layer(stack: Stack, name: str) -> lambda_.ILayerVersion:
    """Return a layer of the stack, a folder of `layers/`; its zip is built when it is deployed, never in synthesis."""
    construct_id = f"Layer{name.title()}"
    built = stack.node.try_find_child(construct_id)
    return cast("lambda_.ILayerVersion", built) if built else _build_layer(stack, construct_id, name)


def _build_layer(stack: Stack, construct_id: str, name: str) -> lambda_.LayerVersion:
    stage = stage_of(stack)
    build = LayerBuild(name, stage.python_version, NATIVE if stage.local else _PLATFORMS[stage.architecture])
    location = stack.synthesizer.add_file_asset(
        source_hash=build.fingerprint, executable=build.command, display_name=f"layer {name}"
    )
    assets = s3.Bucket.from_bucket_name(stack, f"{construct_id}Assets", location.bucket_name)
    unversioned = "@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified"
    acknowledge(assets, unversioned, "The key is a fingerprint of all the layer is made of.")
    return lambda_.LayerVersion(
        stack,
        construct_id,
        code=lambda_.Code.from_bucket(assets, location.object_key),
        description=f"{name} for Python {build.python} on {build.platform}",
        removal_policy=RemovalPolicy.DESTROY,
    )


_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
_KEPT = "The caller keeps what failed: the queue, the machine's execution, the schedule or the destination."
_NEWEST_LOCALLY = "The emulator runs functions in the interpreter it runs in itself."


TRACE_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
SAMPLING_ACTIONS = ("xray:GetSamplingRules", "xray:GetSamplingTargets")  # asked for by machines, not by functions
TRACE_REASON = "X-Ray takes no resource: traces belong to the account."


_KEY_USES = {"s3:GetObject": ("kms:Decrypt",), "s3:PutObject": ("kms:Decrypt", "kms:GenerateDataKey")}


def allow(
    role: iam.Role,
    actions: Sequence[str],
    resources: Sequence[str],
    why: str = "",
    conditions: Conditions | None = None,
) -> None:
    """Let `role` do `actions` on `resources` (ARNs) under `conditions`, and nothing more.

    Who may read or write objects may use the key of the stage's buckets for it, and may read with former keys.
    An ARN with a wildcard needs `why`: the reason why no narrower one is possible acknowledges the finding of cdk-nag.

    Raises:
        ValueError: an action holds a wildcard, or a resource does and no reason is given.
    """
    wild_actions = [action for action in actions if "*" in action]
    if wild_actions:
        raise ValueError(f"{role.node.path}: name the actions one by one instead of {wild_actions}")
    role.add_to_policy(iam.PolicyStatement(actions=[*actions], resources=[*resources], conditions=conditions))
    _allow_keys(role, {use for action in actions for use in _KEY_USES.get(action, ())})
    for resource in resources:
        shown = _flat(Stack.of(role).resolve(resource))
        if "*" in shown:
            if not why:
                raise ValueError(f"{role.node.path}: {shown} is a wildcard: say why it has to be")
            acknowledge(role, f"AwsSolutions-IAM5[Resource::{shown}]", why)


def _allow_keys(role: iam.Role, uses: Collection[str]) -> None:
    stage = stage_of(role)
    if uses and stage.kms_key:
        allow_key(role, sorted(uses), stage.kms_key)
    for former in stage.former_kms_keys if uses else ():
        allow_key(role, ["kms:Decrypt"], former)


def allow_key(role: iam.Role, actions: Sequence[str], key_arn: str) -> None:
    """Let `role` use a key for objects of S3, and for nothing else that the key encrypts."""
    region = key_arn.split(":")[3]
    by_s3 = {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}
    role.add_to_policy(iam.PolicyStatement(actions=[*actions], resources=[key_arn], conditions=by_s3))


def _flat(value: Any) -> str:  # noqa: ANN401 - a resolved CloudFormation value
    """Write a resolved ARN as cdk-nag names it in a finding: `<Lake.Arn>/runs/*`."""
    if isinstance(value, str):
        return value.replace("${", "<").replace("}", ">")
    name, argument = next(iter(value.items()))
    match name:
        case "Fn::Join":
            delimiter, parts = argument
            return str(delimiter.join(_flat(part) for part in parts))
        case "Fn::GetAtt":
            return f"<{'.'.join(_flat(part) for part in argument)}>"
        case "Ref":
            return f"<{argument}>"
        case _:
            return _flat(argument)
