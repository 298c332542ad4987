"""AWS as functions need it at run time: clients, their settings, items of DynamoDB, the state of executions."""

import os
import random
import resource
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient


_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=32, tcp_keepalive=True)

# A commit whose answer is lost would be refused when it is sent again, and look as if it had not been made.
_SENT_ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1}, tcp_keepalive=True)

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # seconds at most, between attempts

IN_CONFLICT = "TransactionConflict"
"""Why an item cancels a transaction that another request of the same moment writes to."""

CONDITION_FAILED = "ConditionalCheckFailed"
"""Why an item cancels a transaction whose condition does not hold."""

_MOMENTARY = frozenset({IN_CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"})


@cache
def s3() -> "S3Client":
    """Return the S3 client."""
    return boto3.client("s3", config=_CONFIG)


@cache
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client."""
    return boto3.client("dynamodb", config=_CONFIG)


@cache
def glue() -> "GlueClient":
    """Return the Glue client, which sends every request once."""
    return boto3.client("glue", config=_SENT_ONCE)


@cache
def glue_reader() -> "GlueClient":
    """Return the Glue client for what only reads, which may be asked again."""
    return boto3.client("glue", config=_CONFIG)


@cache
def secrets_manager() -> "SecretsManagerClient":
    """Return the Secrets Manager client."""
    return boto3.client("secretsmanager", config=_CONFIG)


@cache
def step_functions() -> "SFNClient":
    """Return the Step Functions client."""
    return boto3.client("stepfunctions", config=_CONFIG)


@cache
def sqs() -> "SQSClient":
    """Return the SQS client."""
    return boto3.client("sqs", config=_CONFIG)


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


def peak_memory_mb() -> int:
    """Return the most memory that this process has used, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


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


def is_met(request: Callable[[], object], refusals: Container[str] = (f"{CONDITION_FAILED}Exception",)) -> bool:
    """Send a request that depends on a condition; return False if AWS refused it with one of these codes."""
    try:
        _persist(request, lambda error: error_code(error) == f"{IN_CONFLICT}Exception")
    except ClientError as error:
        if error_code(error) in refusals:
            return False
        raise
    return True


def attempts(pauses: Sequence[float] | None = None) -> Iterator[None]:
    """Yield once for each attempt worth making at what AWS refuses for a moment, after pauses of random length."""
    yield
    for longest in _PAUSES if pauses is None else pauses:
        time.sleep(random.uniform(0, longest))  # noqa: S311  # no secret: it keeps those apart that met
        yield


def _persist(request: Callable[[], object], is_momentary: Callable[[ClientError], bool]) -> None:
    """Send a request until it is not refused for the moment any more, or `attempts` are over."""
    for _ in attempts():
        try:
            request()
        except ClientError as error:
            if not is_momentary(error):
                raise
            refusal = error
        else:
            return
    raise refusal


def transact(client: "DynamoDBClient", items: Sequence[Any]) -> None:
    """Write all items or none; tried again where nothing but other requests of the same moment are in the way.

    Raises:
        client.exceptions.TransactionCanceledException: See `cancellations`.
    """

    def is_momentary(error: ClientError) -> bool:
        codes = set(cancellations(error).values())
        return bool(codes) and codes <= _MOMENTARY

    _persist(lambda: client.transact_write_items(TransactItems=items), is_momentary)


def cancellations(error: ClientError) -> dict[int, str]:
    """Return why a transaction was cancelled: the codes of those of its items that are the reason, by their places."""
    response: dict[str, Any] = dict(error.response)
    codes = (reason.get("Code", "None") for reason in response.get("CancellationReasons", ()))
    return {place: code for place, code in enumerate(codes) if code != "None"}


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
