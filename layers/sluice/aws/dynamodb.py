"""Items of DynamoDB as plain values, and conditional writes."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from sluice.aws.clients import error_code

Item = dict[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def to_dynamodb(item: Mapping[str, Any]) -> Item:
    """Return an item in DynamoDB's wire format, without its null members."""
    return {name: _serialize(value) for name, value in item.items() if value is not None}


def from_dynamodb(item: Mapping[str, Any]) -> Item:
    """Return an item as plain values, whole numbers as int."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def is_met(write: Callable[[], object]) -> bool:
    """Do a conditional write; return whether its condition was met."""
    try:
        write()
    except ClientError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
