"""AWS clients and outputs of a stage, in the local cloud or in the account of this shell."""

import json
import os
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.platform import local_cloud
from cli.platform.console import CliError, shell
from cli.platform.stages import stage_named

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

LOCAL = "local"
StageOption = Annotated[
    str,
    typer.Option(
        "--stage", "-s", envvar="SLUICE_STAGE", help="The deployment to talk to: local, dev, or a name of stages.toml."
    ),
]

# As many as the busiest command (ingest) has threads, so that none waits for a connection.
_CONNECTIONS = 32
_FUNCTION_SECONDS = 910  # longer than any function may run


def _client(service: Any, **settings: Any) -> cached_property[Any]:  # noqa: ANN401 - what boto3 knows
    """Return a property of `Deployment`: a client, made when it is first used, with such settings of botocore."""
    return cached_property(lambda deployment: deployment.client(service, Config(**settings)))


class Deployment:
    """A deployed stage: its clients, and the outputs of its stack."""

    athena: "cached_property[AthenaClient]" = _client("athena")
    cloudformation: "cached_property[CloudFormationClient]" = _client("cloudformation")
    cloudwatch: "cached_property[CloudWatchClient]" = _client("cloudwatch")
    dynamodb: "cached_property[DynamoDBClient]" = _client("dynamodb")
    # Commands wait for the end of a function, and call it once.
    functions: "cached_property[LambdaClient]" = _client(
        "lambda", read_timeout=_FUNCTION_SECONDS, retries={"total_max_attempts": 1}
    )
    # A commit whose answer is lost may have been done; sent again, it would look refused.
    glue: "cached_property[GlueClient]" = _client("glue", retries={"total_max_attempts": 1})
    logs: cached_property[Any] = _client("logs")
    s3: "cached_property[S3Client]" = _client("s3")
    secretsmanager: "cached_property[SecretsManagerClient]" = _client("secretsmanager")
    sqs: "cached_property[SQSClient]" = _client("sqs")
    sts: cached_property[Any] = _client("sts")
    stepfunctions: "cached_property[SFNClient]" = _client("stepfunctions")

    def __init__(self, stage: str, session: boto3.Session, endpoint: str | None = None) -> None:
        self.stage = stage
        self.session = session
        self.endpoint = endpoint

    def client(self, service: Any, settings: Config) -> Any:  # noqa: ANN401 - what boto3 knows
        """Return a client of a service, with the settings that all have and some of its own."""
        standard = Config(
            retries={"mode": "standard", "max_attempts": 6},
            max_pool_connections=_CONNECTIONS,
            connect_timeout=10,
            # A proxy of the shell does not lead to this machine, and not every resolver knows bucket.localhost.
            proxies={} if self.endpoint else None,
            s3={"addressing_style": "path" if self.endpoint else "auto"},
        )
        return self.session.client(service, endpoint_url=self.endpoint, config=standard.merge(settings))

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stage's stack, by name.

        Raises:
            CliError: The stage is not deployed.
        """
        try:
            described = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ValidationError":
                raise
            raise CliError(
                f"Stage '{self.stage}' is not deployed: there is no stack {self.stack}.",
                f"Run `{shell('sluice', 'deploy', '--stage', self.stage)}`, or name another stage with --stage.",
            ) from error
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    @cached_property
    def local(self) -> bool:
        """Tell whether the stage is in the local cloud, whatever its name."""
        return self.endpoint is not None

    @property
    def stack(self) -> str:
        """The name of the stage's stack."""
        return f"Sluice-{self.stage}"

    @property
    def prefix(self) -> str:
        """The beginning of the names of the stage's queues and alarms."""
        return f"{self.stack}-"

    def owns(self, name: str) -> bool:
        """Return whether a resource with such a name is the stage's, not that of a stage whose name begins alike."""
        return name.startswith(self.prefix) and name[len(self.prefix) :][:1].isupper()

    def template(self) -> dict[str, Any]:
        """Return the deployed template."""
        body: Any = self.cloudformation.get_template(StackName=self.stack)["TemplateBody"]
        template: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
        return template

    def output(self, name: str) -> str:
        """Return an output of the stage's stack.

        Raises:
            CliError: The stage is not deployed, or by a version without this output.
        """
        if name not in self.outputs:
            raise CliError(
                f"Stage '{self.stage}' has no output {name}: it was deployed by another version.",
                f"Run `{shell('sluice', 'deploy', '--stage', self.stage)}`.",
            )
        return self.outputs[name]


@cache
def connect(stage: str) -> Deployment:
    """Return the deployment of a stage.

    Raises:
        StageNameError: The name is no stage's.
        StageFileError: The file of stages is wrong.
        CliError: The local cloud is meant and not up.
    """
    settings = stage_named(stage)
    if not settings.local:
        # boto3 itself reads AWS_DEFAULT_REGION only; the CDK, and every other SDK, AWS_REGION.
        return Deployment(stage, boto3.Session(region_name=settings.region or os.environ.get("AWS_REGION")))
    cloud = local_cloud.require()
    session = boto3.Session(cloud.access_key_id, cloud.secret_access_key, region_name=local_cloud.REGION)
    return Deployment(stage, session, cloud.endpoint)
