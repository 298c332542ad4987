"""Leases of DynamoDB items: the attribute ``execution`` names the execution that has the lease."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.aws.runtime import Item, from_dynamodb, is_met, to_dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OWNED = "execution = :me"


@dataclass(frozen=True, slots=True)
class DynamoLeases:
    """Claims and writes the items of one table; expressions may use ``:me``, the execution that writes."""

    client: "DynamoDBClient"
    table: str

    def get(self, key: Item) -> Item:
        """Return an item as it is now, empty where there is none."""
        found = self.client.get_item(TableName=self.table, Key=to_dynamodb(key), ConsistentRead=True)
        return from_dynamodb(found.get("Item", {}))

    def claim(
        self,
        key: Item,
        execution: str,
        ended: str,
        *,
        change: str = "",
        values: Mapping[str, Any] | None = None,
        expired: str = "",
    ) -> Item:
        """Take the lease of an item if it is free, this execution's already, or that of an execution that has ended.

        Args:
            key: The item; it is made should there be none.
            execution: ARN of the execution that wants the lease.
            ended: ARN of an execution that has ended; empty if none is known.
            change: What else is written with the lease, such as ``, since = :now REMOVE result``.
            values: Values of the expressions.
            expired: A condition under which the lease is free as well.

        Returns:
            The item as it is then, with the execution that has its lease.
        """
        free = "attribute_not_exists(execution) OR execution IN (:me, :ended)" + (f" OR {expired}" if expired else "")
        while True:
            self.update(key, execution, f"SET execution = :me{change}", {**(values or {}), ":ended": ended}, free)
            item = self.get(key)
            if "execution" in item:  # otherwise it was released a moment ago
                return item

    def update(self, key: Item, execution: str, change: str, values: Mapping[str, Any], condition: str = OWNED) -> bool:
        """Write to an item that an execution has the lease of; tell whether it has it."""
        return is_met(
            lambda: self.client.update_item(
                TableName=self.table,
                Key=to_dynamodb(key),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_dynamodb({**values, ":me": execution}),
            )
        )


@dataclass(frozen=True, slots=True)
class Holder:
    """The execution that has a lease."""

    execution: str


class DynamoLease:
    """The one lease of its `name` in a table: the item with that partition key and the sort key ``lease``."""

    def __init__(self, client: "DynamoDBClient", table: str, name: str) -> None:
        self._leases = DynamoLeases(client, table)
        self._key = {"pk": name, "sk": "lease"}

    def claim(self, execution: str, ended: str) -> Holder:
        """Take the lease, if it is free or that of the `ended` execution; return it as it is then."""
        return Holder(self._leases.claim(self._key, execution, ended)["execution"])

    def release(self, execution: str) -> None:
        """Free the lease, if the execution has it."""
        self._leases.update(self._key, execution, "REMOVE execution", {}, OWNED)
