"""Lambda functions, all made alike, and the layers they share in a stack."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.layers.layer_builder import NATIVE, SLUICE, LayerBuild
from infra.platform.permissions import TRACE_ACTIONS, TRACE_REASON, allow
from infra.platform.stage_stack import acknowledge, log_group, stage_of
from infra.settings import FunctionSize

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"


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
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
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
            role=self.role,
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
        acknowledge(self, "Serverless-LambdaDLQ", _KEPT)
        if stage.local:
            acknowledge(self, "AwsSolutions-L1", _NEWEST_LOCALLY)
            acknowledge(self, "Serverless-LambdaLatestVersion", _NEWEST_LOCALLY)

    @property
    def name(self) -> str:
        """Name of the deployed function."""
        return self.function.function_name

    @property
    def arn(self) -> str:
        """ARN of the deployed function."""
        return self.function.function_arn

    def allow(self, actions: Sequence[str], resources: Sequence[str], why: str = "") -> None:
        """Let the function do `actions` on `resources`; a wildcard needs a reason (`permissions.allow`)."""
        allow(self.role, actions, resources, why)

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
