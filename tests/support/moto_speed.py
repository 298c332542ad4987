"""moto does some things anew at every call, which the tests of hundreds of crashes cannot wait for.

What it gives is the same: backups of a table are taken once per transaction and not once per item of it, as deep as
puts and deletes reach; the addresses of S3 are read once.
"""

import copy
from collections import defaultdict
from typing import Any

import moto.s3.urls
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.s3.models import S3Backend

_backups: dict[int, Table] = {}
_transact = DynamoDBBackend.transact_write_items


def hasten() -> None:
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
