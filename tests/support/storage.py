"""What moto has stored, looked at directly: reading it back over the API takes moto longer than all the rest."""

from datetime import datetime
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import s3_backends

Item = dict[str, Any]


def items_of(table: str) -> list[Item]:
    """Return all items of a DynamoDB table as plain values."""
    stored = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables[table].items
    return [_plain(item.attrs) for items in stored.values() for item in items.values()]


def empty(table: str) -> None:
    """Delete all items of a DynamoDB table."""
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables[table].items.clear()


def objects_of(bucket: str, prefix: str = "") -> dict[str, bytes]:
    """Return all objects of a bucket whose key begins so."""
    stored = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys
    return {key: object_.value for key, object_ in stored.items() if key.startswith(prefix)}


def _plain(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return int(value.value) if value.type == "N" else _plain(value.value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def age(bucket: str, key: str, written: datetime) -> None:
    """Make an object's last change have been at a time."""
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys[key].last_modified = written.replace(tzinfo=None)
