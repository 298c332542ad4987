"""A first deployment that fails, the one after it, and buckets that become the producers' and the stage's own again."""

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.platform import local_cloud
from cli.platform.cdk import Cdk
from cli.platform.deploy import client_environment, protect
from cli.platform.session import Deployment
from infra.stage import ProducerBucket, Stage
from tests.support.local.deployed_cloud import Cloud, wait_until
from tests.support.stages import stage_named
from tests.support.synthesis import synthesise

STAGE = replace(stage_named("local"), name="first", keeps_data=True)
NOBODY = {"Event": "s3:ObjectCreated:*", "Queue": f"arn:aws:sqs:{local_cloud.REGION}:000000000000:no-such-queue"}
NOTIFYING = {"BucketName": "refused", "NotificationConfiguration": {"QueueConfigurations": [NOBODY]}}
REFUSED = {"Type": "AWS::S3::Bucket", "Properties": NOTIFYING}


@dataclass(frozen=True)
class Stack:
    """The stack of a lasting stage beside that of other tests."""

    cloud: Cloud
    deployment: Deployment
    folder: Path

    def assembly(self, name: str, stage: Stage) -> Path:
        """Synthesise a stage; the CDK's Node process ends with it."""
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            return process.submit(synthesise, stage, self.folder / name).result().folder

    def deploy(self, assembly: Path) -> None:
        """Do what `sluice deploy` does."""
        cdk = Cdk(client_environment(STAGE), self.folder / "cdk.log", print)
        cdk("deploy", "--app", str(assembly), "--all", "--require-approval", "never", "--method", "direct")
        protect(self.deployment)

    def described(self) -> dict[str, Any]:
        """Return what CloudFormation says of it."""
        (found,) = self.deployment.cloudformation.describe_stacks(StackName=STAGE.stack_name)["Stacks"]
        return dict(found)

    def kept(self) -> list[str]:
        """Return the names of its buckets, tables and secrets that are there, whether the stack is or not."""
        buckets = self.deployment.s3.list_buckets()["Buckets"]
        secrets = self.deployment.secretsmanager.list_secrets()["SecretList"]
        names = [each["Name"] for each in (*buckets, *secrets)] + self.deployment.dynamodb.list_tables()["TableNames"]
        return [name for name in names if name.lower().startswith(f"{STAGE.resource_prefix}-")]

    def bucket(self) -> str:
        """Return the source bucket."""
        return str({each["OutputKey"]: each["OutputValue"] for each in self.described()["Outputs"]}["SourceBucket"])


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(cloud, Deployment(STAGE.name, cloud.deployment.session, cloud.deployment.endpoint), tmp_path)
    yield stack
    cloudformation, name = stack.deployment.cloudformation, STAGE.stack_name
    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def test_a_first_deployment_that_fails_blocks_nothing_and_buckets_change_hands_and_back(stack: Stack) -> None:
    assembly = stack.assembly("own", STAGE)
    _fail(stack, json.loads((assembly / f"{STAGE.stack_name}.template.json").read_text()))
    protect(stack.deployment)
    assert not stack.described()["EnableTerminationProtection"], "it could not be deleted, nor deployed again"
    assert stack.kept() == [], "only what was made whole is kept"
    stack.deploy(assembly)
    assert stack.described()["StackStatus"] == "CREATE_COMPLETE"
    assert len(stack.kept()) == 4 + 5 + 1, "buckets, tables, the secret"
    with pytest.raises(ClientError, match="TerminationProtection"):
        stack.deployment.cloudformation.delete_stack(StackName=STAGE.stack_name)
    own, theirs = stack.bucket(), stack.cloud.output("SourceBucket")
    stack.deploy(stack.assembly("theirs", replace(STAGE, source=ProducerBucket(existing=theirs))))
    assert stack.bucket() == theirs
    assert own in stack.kept(), "what is in it is not the stage's to throw away"
    stack.deploy(assembly)
    assert stack.bucket() not in {own, theirs}
    assert stack.described()["StackStatus"] == "UPDATE_COMPLETE"


def _fail(stack: Stack, template: dict[str, Any]) -> None:
    """Create the stack with one resource more, which is refused when all others are there."""
    resources = template["Resources"]
    resources["Refused"] = {**REFUSED, "DependsOn": [key for key, each in resources.items() if "Condition" not in each]}
    bucket = stack.cloud.output("LakeBucket")
    stack.deployment.s3.put_object(Bucket=bucket, Key="broken.json", Body=json.dumps(template).encode())
    url = f"{stack.deployment.endpoint}/{bucket}/broken.json"
    stack.deployment.cloudformation.create_stack(
        StackName=STAGE.stack_name, TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    wait_until(lambda: not stack.described()["StackStatus"].endswith("_IN_PROGRESS"), 300)
    assert stack.described()["StackStatus"] == "ROLLBACK_COMPLETE"
