"""Commands of `sluice` in this process, and a stage in moto for them."""

import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.main import app
from cli.platform.session import Deployment, connect
from tests.support.moto.backend import create_table

OUTPUTS = {
    "SourceBucket": "the-source",
    "SourceOwner": "123456789012",
    "SourcePrefixes": "[]",
    "LedgerTable": "the-ledger",
    "SlotsTable": "the-slots",
    "LakeBucket": "the-lake",
    "ExportEnvironment": "Test",
    "ExportMachine": "the-machine",
    "VendorSecret": "the-secret",
}


def sluice(*arguments: object, code: int = 0) -> Result:
    """Run a command that ends with the exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def sluice_json(*arguments: object, code: int = 0) -> Any:
    """Run a command with --json, and return its document."""
    return json.loads(sluice(*arguments, "--json", code=code).stdout)


def deployment(**attributes: Any) -> Deployment:
    """A stage whose clients and outputs are given, or those of moto."""
    made = Deployment("x", _session())
    made.__dict__.update(attributes)
    return made


@cache
def _session() -> boto3.Session:
    """One for all tests: it keeps the descriptions of services, which are slow to read."""
    return boto3.Session("test", "test", region_name="us-east-1")


def connect_commands(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command find this stage, whichever it is given."""
    commands = [module for name, module in sys.modules.items() if name.startswith("cli.")]
    for module in commands:
        if getattr(module, "connect", None) is connect:
            monkeypatch.setattr(module, "connect", lambda _: stage)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """A stage with buckets, tables and queues, which commands find."""
    with mock_aws():
        made = deployment(outputs=dict(OUTPUTS))
        for bucket in ("the-source", "the-lake"):
            made.s3.create_bucket(Bucket=bucket)
        for table in ("the-ledger", "the-slots"):
            create_table(made.dynamodb, table)
        _create_queues(made)
        connect_commands(made, monkeypatch)
        yield made


def _create_queues(stage: Deployment) -> None:
    dead_letters = stage.sqs.create_queue(QueueName="Sluice-x-EventFiles-DeadLetters")["QueueUrl"]
    redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:Sluice-x-EventFiles-DeadLetters"}
    policy = json.dumps({**redrive, "maxReceiveCount": 4})
    queue = stage.sqs.create_queue(QueueName="Sluice-x-EventFiles-Queue", Attributes={"RedrivePolicy": policy})
    stage.outputs.update(QueueUrl=queue["QueueUrl"], DeadLetterQueueUrl=dead_letters)
