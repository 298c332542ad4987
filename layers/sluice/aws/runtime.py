"""AWS as functions need it at run time: clients, their settings, items of DynamoDB, the state of executions."""

import os
from collections.abc import Callable, Container, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient


_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=32, tcp_keepalive=True)


@cache
def s3() -> "S3Client":
    """Return the S3 client."""
    return boto3.client("s3", config=_CONFIG)


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client."""
    return boto3.client("dynamodb", config=_CONFIG)


@cache
def secrets_manager() -> "SecretsManagerClient":
    """Return the Secrets Manager client."""
    return boto3.client("secretsmanager", config=_CONFIG)


@cache
def step_functions() -> "SFNClient":
    """Return the Step Functions client."""
    return boto3.client("stepfunctions", config=_CONFIG)


@cache
def sns() -> "SNSClient":
    """Return the SNS client."""
    return boto3.client("sns", config=_CONFIG)


def error_code(error: ClientError) -> str:
    """Return the code of an AWS error, such as ``NoSuchKey`` or ``412``."""
    return error.response.get("Error", {}).get("Code", "")


class SettingsError(Exception):
    """The environment lacks a setting or holds a wrong one."""


Value = TypeVar("Value")


@overload
def setting(name: str) -> str: ...
@overload
def setting(name: str, parse: Callable[[str], Value]) -> Value: ...
def setting(name: str, parse: Callable[[str], object] = str) -> object:
    """Return the value of an environment variable, as `parse` makes it of its text.

    Raises:
        SettingsError: The variable is missing, or `parse` refuses its text with a `ValueError`.
    """
    text = os.environ.get(name)
    if text is None:
        raise SettingsError(f"the environment variable {name} is not set; the stack sets it")
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"the environment variable {name} is wrong: {error}; the stack sets it") from None


Item = dict[str, Any]


class _PlainNumbers(TypeDeserializer):
    def _deserialize_n(self, value: str) -> int:
        return int(value)


_serialize = TypeSerializer().serialize
_deserialize = _PlainNumbers().deserialize


def to_dynamodb(item: Mapping[str, Any]) -> Item:
    """Return an item in DynamoDB's wire format, without its null members."""
    return {name: _serialize(value) for name, value in item.items() if value is not None}


def from_dynamodb(item: Mapping[str, Any]) -> Item:
    """Return an item as plain values; its numbers are whole."""
    return {name: _deserialize(value) for name, value in item.items()}


def is_met(request: Callable[[], object], refusals: Container[str] = ("ConditionalCheckFailedException",)) -> bool:
    """Send a request that depends on a condition; return False if AWS refused it with one of these codes."""
    try:
        request()
    except ClientError as error:
        if error_code(error) in refusals:
            return False
        raise
    return True


class StepFunctionsExecutions:
    """The executions of state machines."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def is_running(self, execution: str) -> bool:
        """Return whether an execution is going on; one that Step Functions does not know (any more) is not."""
        try:
            return self._client.describe_execution(executionArn=execution)["status"] in {"RUNNING", "PENDING_REDRIVE"}
        except self._client.exceptions.ExecutionDoesNotExist:
            return False
