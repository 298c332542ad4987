"""Shortcuts past moto's API: reading what it stores, making it faster, answers of S3 that it does not give.

Crash tests make thousands of calls: backups of a table are taken once per transaction instead of once per item, the
addresses of S3 are read once, and items and objects are read from the backend.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import moto.s3.urls
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.s3.models import S3Backend, s3_backends

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


def create_table(client: "DynamoDBClient", name: str) -> None:
    """Create a table as the stage has them."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


def items_of(table: str) -> list[Item]:
    """Return all items of a DynamoDB table as plain values."""
    stored = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables[table].items
    return [_plain(item.attrs) for items in stored.values() for item in items.values()]


def clear_table(table: str) -> None:
    """Delete all items of a DynamoDB table."""
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables[table].items.clear()


def objects_of(bucket: str, prefix: str = "") -> dict[str, bytes]:
    """Return the objects of a bucket under a prefix."""
    stored = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys
    return {key: object_.value for key, object_ in stored.items() if key.startswith(prefix)}


def _plain(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return int(value.value) if value.type == "N" else _plain(value.value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def backdate(bucket: str, key: str, written: datetime) -> None:
    """Set the time of an object's last change."""
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys[key].last_modified = written.replace(tzinfo=None)


_backups: dict[int, Table] = {}
_transact = DynamoDBBackend.transact_write_items


def speed_up_moto() -> None:
    """Make moto faster, for the whole process."""
    setattr(Table, "__deepcopy__", _backup)  # noqa: B010  # mypy takes no assignment
    setattr(DynamoDBBackend, "transact_write_items", _transact_with_one_backup)  # noqa: B010
    setattr(S3Backend, "_url_module", moto.s3.urls)  # noqa: B010


def _transact_with_one_backup(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    _backups.clear()
    _transact(backend, transact_items)


def _backup(table: Table, _memo: object) -> Table:
    if id(table) not in _backups:
        twin = _backups[id(table)] = copy.copy(table)
        twin.items = defaultdict(dict, {key: dict(items) for key, items in table.items.items()})
    return _backups[id(table)]


@contextmanager
def answer_with_error(client: Any, operation: str, key: str, status: int, code: str) -> Iterator[None]:
    """Answer requests for a key, or for a version of it (``key?versionId=…``), with an error."""
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>Refused</Message></Error>"
    with _answer(client, operation, key, status, body.encode(), {"content-type": "application/xml"}):
        yield


@contextmanager
def answer_with_body(client: Any, key: str, body: bytes, headers: dict[str, str]) -> Iterator[None]:
    """Answer reads of a key with this body, and with headers that may contradict it."""
    with _answer(client, "GetObject", key, 200, body, {"last-modified": "Sat, 31 Jan 2026 12:00:00 GMT"} | headers):
        yield


@contextmanager
def _answer(client: Any, operation: str, key: str, status: int, body: bytes, headers: dict[str, str]) -> Iterator[None]:
    def answer(request: Any, **_: object) -> AWSResponse | None:
        url = urlsplit(request.url)
        if not f"{url.path}?{url.query}".removesuffix("" if "?" in key else f"?{url.query}").endswith(f"/{key}"):
            return None
        return AWSResponse(request.url, status, HTTPHeaders.from_pairs(list(headers.items())), _Wire(body))

    events, name = client.meta.events, f"before-send.s3.{operation}"
    events.register_first(name, answer)
    try:
        yield
    finally:
        events.unregister(name, answer)


class _Wire(BytesIO):
    """A response's body as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()
