"""The AWS clients and the stack outputs of a stage: the local cloud's or the account's of this shell."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.platform import local_cloud
from cli.platform.errors import CliError
from infra.stage import StageNameError, stage_named

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

LOCAL = "local"
STACKS = ("Lake", "EventFiles", "Exports", "Watch")

# As many as the busiest command (ingest) has threads, so that none waits for a connection.
_CONNECTIONS = 32
_FUNCTION_SECONDS = 910  # longer than any function may run


@dataclass(frozen=True)
class Deployment:
    """A deployed stage: its clients, made when first used, and the outputs of its stacks."""

    stage: str
    session: boto3.Session
    endpoint: str | None = None

    @cached_property
    def s3(self) -> S3Client:
        """Objects of the source, media and lake buckets."""
        return self.session.client("s3", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The ledger."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def stepfunctions(self) -> SFNClient:
        """The Convert machine."""
        return self.session.client("stepfunctions", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def athena(self) -> AthenaClient:
        """Queries."""
        return self.session.client("athena", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def sqs(self) -> SQSClient:
        """Queue depths."""
        return self.session.client("sqs", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """The vendor's secret."""
        return self.session.client("secretsmanager", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def functions(self) -> LambdaClient:
        """The functions that commands call by themselves; they are waited for, and called once."""
        patient = Config(read_timeout=_FUNCTION_SECONDS, retries={"total_max_attempts": 1})
        return self.session.client("lambda", endpoint_url=self.endpoint, config=_config(self.endpoint).merge(patient))

    @cached_property
    def cloudwatch(self) -> Any:  # noqa: ANN401 - its stubs are not among the development tools
        """Alarms."""
        return self.session.client("cloudwatch", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def logs(self) -> Any:  # noqa: ANN401 - as above
        """What functions log."""
        return self.session.client("logs", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """Stacks."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint, config=_config(self.endpoint))

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stage's stacks, by name.

        Raises:
            CliError: The stage is not deployed, or only in part.
        """
        found: dict[str, str] = {}
        for stack in self.stacks:
            found |= self._stack_outputs(stack)
        return found

    @property
    def stacks(self) -> list[str]:
        """Names of the stage's stacks."""
        return [self.stack(part) for part in STACKS]

    @property
    def prefix(self) -> str:
        """How the names of the stage's stacks and alarms begin."""
        return f"Sluice-{self.stage}-"

    def stack(self, part: str) -> str:
        """Name of one of the stage's stacks."""
        return self.prefix + part

    def template(self, stack: str) -> dict[str, Any]:
        """The deployed template of a stack."""
        body: Any = self.cloudformation.get_template(StackName=stack)["TemplateBody"]
        template: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
        return template

    def output(self, name: str) -> str:
        """One output of the stage's stacks; CliError when the deployed version does not have it."""
        if name not in self.outputs:
            raise CliError(
                f"Stage '{self.stage}' has no output {name}: it was deployed by another version.",
                f"Run `sluice deploy --stage {self.stage}`.",
            )
        return self.outputs[name]

    def _stack_outputs(self, stack: str) -> dict[str, str]:
        try:
            described = self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ValidationError":
                raise
            raise CliError(
                f"Stage '{self.stage}' is not deployed: there is no stack {stack}.",
                f"Run `sluice deploy --stage {self.stage}`, or name another stage with --stage.",
            ) from error
        return {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}


@functools.cache
def connect(stage: str) -> Deployment:
    """The deployment of a stage.

    Raises:
        CliError: The name is no stage's, or the local cloud is meant and not up.
    """
    try:
        settings = stage_named(stage)
    except StageNameError as error:
        raise CliError(str(error)) from error
    if not settings.local:
        # boto3 itself reads AWS_DEFAULT_REGION only; the CDK, and every other SDK, AWS_REGION.
        return Deployment(stage, boto3.Session(region_name=settings.region or os.environ.get("AWS_REGION")))
    cloud = local_cloud.status()
    if cloud is None:
        raise CliError("The local cloud is not up.", "Run `sluice local up`, then `sluice deploy`; or `make demo`.")
    return Deployment(stage, boto3.Session("test", "test", region_name=local_cloud.REGION), cloud.endpoint)


def _config(endpoint: str | None) -> Config:
    return Config(
        retries={"mode": "standard", "max_attempts": 6},
        max_pool_connections=_CONNECTIONS,
        connect_timeout=10,
        # This machine is not behind the proxy that the shell may name, and not every resolver knows bucket.localhost.
        proxies={} if endpoint else None,
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
