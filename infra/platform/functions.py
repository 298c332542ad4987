"""Lambda functions, all made alike, and the set of functions of a pipeline."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.layers import Layers
from infra.platform.permissions import TRACE_ACTIONS, TRACE_REASON, allow
from infra.platform.stage_stack import acknowledge, log_group
from infra.settings import FunctionSize
from infra.stage import Stage

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"


class PythonFunction(Construct):
    """A Python function with its own role, its own log group and traces.

    The code is the folder `functions/<pipeline>/<folder>`, which names the construct, too; the handler its
    `handler.handler`. The role may write to the function's own log group and traces; everything else is allowed one by
    one with `allow`. Its metrics carry the stage and the pipeline.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        folder: str,
        pipeline: str,
        purpose: str,
        size: FunctionSize,
        layers: Sequence[lambda_.ILayerVersion],
        environment: Mapping[str, str],
    ) -> None:
        """Build the log group, the role and the function."""
        super().__init__(scope, folder.title().replace("_", ""))
        self.folder = folder
        self.purpose = purpose
        self.size = size
        self.timeout = Duration.seconds(size.timeout_seconds)
        self.log_group = log_group(self, stage)
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
            layers=list(layers),
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


class PipelineFunctions(Construct):
    """The functions of a pipeline; subclasses build each one with exactly the rights it needs.

    `settings` has the size of each function in an attribute named like its folder.
    """

    def __init__(self, scope: Construct, *, stage: Stage, pipeline: str, settings: object) -> None:
        """Begin with none."""
        super().__init__(scope, "Functions")
        self.layers = Layers(self, "Layers", stage=stage)
        self._stage = stage
        self._pipeline = pipeline
        self._sizes = settings
        self._built: list[PythonFunction] = []

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        return iter(self._built)

    def build(self, folder: str, purpose: str, *layers: str, **environment: str) -> PythonFunction:
        """Build the function of a folder; its environment variables are the keywords."""
        built = PythonFunction(
            self,
            stage=self._stage,
            folder=folder,
            pipeline=self._pipeline,
            purpose=purpose,
            size=getattr(self._sizes, folder),
            layers=self.layers.including(*layers),
            environment=environment,
        )
        self._built.append(built)
        return built


_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_KEPT = "The caller keeps what failed: the queue, the machine's execution, the schedule or the destination."
_NEWEST_LOCALLY = "The emulator runs functions in the interpreter it runs in itself."
