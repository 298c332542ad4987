"""Clients and outputs of a stage."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.platform import local_cloud
from cli.platform.console import CliError
from cli.platform.local_cloud import LocalCloud
from cli.platform.session import Deployment, connect
from infra.stage import StageNameError


@pytest.fixture(autouse=True)
def _unconnected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    connect.cache_clear()
    yield
    connect.cache_clear()


def up(monkeypatch: pytest.MonkeyPatch, cloud: LocalCloud | None) -> None:
    monkeypatch.setattr(local_cloud, "running_cloud", lambda: cloud)


def test_the_local_stage_is_where_the_local_cloud_is(monkeypatch: pytest.MonkeyPatch) -> None:
    up(monkeypatch, LocalCloud(4999, 1, "key", "secret", Path()))
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    client = connect("local").s3
    assert client.meta.endpoint_url == "http://localhost:4999"
    assert client.meta.region_name == local_cloud.REGION
    assert vars(client.meta.config)["_user_provided_options"]["proxies"] == {}


def test_a_local_cloud_that_is_not_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    up(monkeypatch, None)
    with pytest.raises(CliError, match="not up"):
        connect("local")


def test_clients_are_patient_and_a_function_is_called_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is sent again because its answer takes long would run the function twice."""
    up(monkeypatch, LocalCloud(4999, 1, "key", "secret", Path()))
    deployment = connect("local")
    attempts = {
        name: getattr(deployment, name).meta.config.retries["total_max_attempts"]
        for name in ("s3", "dynamodb", "sqs", "stepfunctions", "cloudformation", "athena", "functions")
    }
    assert attempts == {**dict.fromkeys(attempts, 7), "functions": 1}
    assert vars(deployment.functions.meta.config)["read_timeout"] > 15 * 60, "longer than a function may run"


def test_other_stages_are_in_the_account_and_region_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    deployment = connect("dev")
    assert deployment.endpoint is None
    assert deployment.s3.meta.region_name == "eu-north-1"


def test_a_name_that_is_no_stage_is_told() -> None:
    with pytest.raises(StageNameError, match="is no stage"):
        connect("Not A Stage")


class Stacks:
    """CloudFormation with some stacks."""

    def __init__(self, *names: str, code: str = "ValidationError") -> None:
        self.names, self.code = names, code

    def describe_stacks(self, StackName: str) -> object:  # noqa: N803
        if StackName not in self.names:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "DescribeStacks")
        return {"Stacks": [{"Outputs": [{"OutputKey": StackName, "OutputValue": "value"}]}]}


def deployment(stacks: Stacks) -> Deployment:
    made = Deployment("dev", boto3.Session(region_name="eu-north-1"))
    made.__dict__["cloudformation"] = stacks
    return made


def test_the_outputs_of_the_stack_are_found() -> None:
    assert deployment(Stacks("Sluice-dev")).outputs == {"Sluice-dev": "value"}


def test_a_missing_stack_says_to_deploy() -> None:
    with pytest.raises(CliError, match=r"'dev' is not deployed.*Sluice-dev") as error:
        deployment(Stacks("Sluice-dev-two")).output("QueueUrl")
    assert "sluice deploy --stage dev" in error.value.hint


def test_a_missing_output_says_to_deploy_again() -> None:
    with pytest.raises(CliError, match="no output QueueUrl"):
        deployment(Stacks("Sluice-dev")).output("QueueUrl")


def test_other_refusals_are_not_taken_for_a_missing_stack() -> None:
    with pytest.raises(ClientError):
        deployment(Stacks(code="AccessDenied")).output("QueueUrl")


def test_resources_of_a_stage_whose_name_begins_alike_are_not_its_own() -> None:
    found = deployment(Stacks())
    assert found.owns("Sluice-dev-EventFiles-Queue")
    assert not found.owns("Sluice-dev-two-EventFiles-Queue")
    assert not found.owns("Sluice-prd-EventFiles-Queue")
