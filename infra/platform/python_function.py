"""The one way a Lambda function is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.log_group import log_group
from infra.platform.nag_suppressions import acknowledge
from infra.platform.permissions import TRACE_ACTIONS, TRACE_REASON, allow
from infra.platform.sizes import FunctionSize
from infra.stage import Stage
from sluice.observability.metrics import Pipeline

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"


class PythonFunction(Construct):
    """A Python function with its own role, its own log group and traces.

    The code is the folder `functions/<folder>`, which names the construct, too; the handler its `handler.handler`. The
    role may write to the function's own log group and traces; everything else is allowed one by one with `allow`. Its
    metrics carry the stage and the `pipeline` it works for.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        folder: str,
        pipeline: Pipeline,
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
        self.log_group = log_group(self, "Log", stage)
        self.role = self._build_role()
        self.timeout = Duration.seconds(size.timeout_seconds)
        self.function = lambda_.Function(
            self,
            "Function",
            description=purpose,
            code=lambda_.Code.from_asset(str(_code_of(folder)), exclude=["**/__pycache__", "**/*.pyc"]),
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
                "PIPELINE": pipeline.value,
                **environment,
            },
        )
        acknowledge(self, "Serverless-LambdaDLQ", _KEPT)
        if stage.local:
            acknowledge(self, "AwsSolutions-L1", _NEWEST_LOCALLY)
            acknowledge(self, "Serverless-LambdaLatestVersion", _NEWEST_LOCALLY)

    def allow(self, actions: Sequence[str], resources: Sequence[str], why: str = "") -> None:
        """Let the function do `actions` on `resources`; a wildcard needs a reason (`permissions.allow`)."""
        allow(self.role, actions, resources, why)

    def keep_failed_calls(self, letters: sqs.IQueue) -> None:
        """Keep the calls that fail three times: nobody waits for the answer to a schedule's call."""
        failed = lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=letters.queue_arn)
        kept = lambda_.CfnEventInvokeConfig(
            self,
            "FailedCalls",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=2,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(on_failure=failed),
        )
        self.allow(["sqs:SendMessage"], [letters.queue_arn])
        kept.node.add_dependency(self.role)

    def _build_role(self) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        stream = [self.log_group.log_group_arn]
        allow(role, ["logs:CreateLogStream", "logs:PutLogEvents"], stream)
        allow(role, TRACE_ACTIONS, ["*"], TRACE_REASON)
        return role


def _code_of(name: str) -> Path:
    """Return the folder of a function's code: `functions/<room>/<name>`."""
    (folder,) = FUNCTIONS.glob(f"*/{name}")
    return folder


_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_KEPT = "The caller keeps what failed: the queue, the machine's execution, the schedule or the destination."
_NEWEST_LOCALLY = "The emulator runs functions in the interpreter it runs in itself."
