"""`sluice destroy`: what goes, with all it holds, and what stays and is named."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from cli.platform.session import Deployment
from cli.platform.stages import FILE_VARIABLE
from tests.support.cli_environment import sluice, sluice_json


class Pages:
    """A listing of one page."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def paginate(self, **_: str) -> list[Any]:
        return [self.page]


class Stack:
    """A stack of two buckets in CloudFormation, which deletes one of them, once it is empty."""

    def __init__(self, stage: Deployment) -> None:
        self.s3 = stage.s3
        self.protected, self.reason, self.late = True, "", False

    def get_template(self, **_: str) -> Any:
        buckets = {"Goes": "Delete", "Stays": "RetainExceptOnCreate"}
        return {"TemplateBody": {"Resources": {name: {"DeletionPolicy": kept} for name, kept in buckets.items()}}}

    def get_paginator(self, listing: str) -> "Pages":
        buckets = {"Goes": "goes", "Stays": "stays"}
        named = [{"LogicalResourceId": key, "PhysicalResourceId": value} for key, value in buckets.items()]
        failed = {"LogicalResourceId": "Goes", "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": self.reason}
        if listing == "describe_stack_events":
            return Pages({"StackEvents": [failed]})
        return Pages({"StackResourceSummaries": [{**each, "ResourceType": "AWS::S3::Bucket"} for each in named]})

    def update_termination_protection(self, **request: Any) -> None:
        self.protected = request["EnableTerminationProtection"]

    def delete_stack(self, **_: str) -> None:
        assert not self.protected
        if self.late:  # an access log arrives
            self.s3.put_object(Bucket="goes", Key="log", Body=b"x")
            self.late = False
        try:
            self.s3.delete_bucket(Bucket="goes")
            self.reason = ""
        except ClientError as error:
            self.reason = str(error)

    def get_waiter(self, _: str) -> "Stack":
        return self

    def wait(self, **_: str) -> None:
        if self.reason:
            raise WaiterError("StackDeleteComplete", "failed", {})


@pytest.fixture(autouse=True)
def stack(stage: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Stage x, in which objects were replaced and deleted."""
    (tmp_path / "stages.toml").write_text('[x]\nkind = "dev"\n')
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "stages.toml"))
    for bucket in ("goes", "stays"):
        stage.s3.create_bucket(Bucket=bucket)
        stage.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("a", "a", "b"):
            stage.s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    stage.s3.delete_object(Bucket="goes", Key="b")
    made = Stack(stage)
    stage.__dict__["cloudformation"] = made
    return made


def buckets(stage: Deployment) -> set[str]:
    return {bucket["Name"] for bucket in stage.s3.list_buckets()["Buckets"]} & {"goes", "stays"}


def test_nothing_is_deleted_without_a_yes(stage: Deployment, stack: Stack) -> None:
    refused = sluice("destroy", "--stage", "x", code=1).stderr
    assert "account 123456789012" in refused
    assert "2 resources, 1 of which stay" in refused
    assert "no terminal" in refused
    assert buckets(stage) == {"goes", "stays"}
    assert stack.protected


def test_buckets_go_with_every_version_and_what_stays_is_named(stage: Deployment) -> None:
    assert sluice_json("destroy", "--stage", "x", "--yes") == [{"type": "AWS::S3::Bucket", "name": "stays"}]
    assert buckets(stage) == {"stays"}
    assert stage.s3.list_objects_v2(Bucket="stays")["KeyCount"] == 2


def test_a_log_that_arrives_late_does_not_hold_it_up(stage: Deployment, stack: Stack) -> None:
    stack.late = True
    sluice("destroy", "--stage", "x", "--yes")
    assert buckets(stage) == {"stays"}


def test_what_cannot_be_deleted_is_told_with_its_reason(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "delete_stack", lambda **_: setattr(stack, "reason", "in use by another stack"))
    failed = sluice("destroy", "--stage", "x", "--yes", code=1).stderr
    assert "Goes: in use by another stack" in failed
