"""The ledger's notes of how new each table's rows are.

| pk | sk | item |
|---|---|---|
| ``newest`` | table | the begin of the newest hour it has rows of |
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sluice.aws.runtime import Item, from_dynamodb, is_met, to_dynamodb
from sluice.event_files.ledger.ledger_dynamodb import PENDING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NEWEST = "newest"


class DynamoFreshness:
    """Reads and writes the notes."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Bind client and ledger table."""
        self._client = client
        self._table = table

    def note(self, hours: Mapping[str, str]) -> None:
        """Note the newest hour (``YYYY-MM-DDTHH``) of tables; an older one than is known changes nothing."""
        for table, hour in hours.items():
            put: dict[str, Any] = {
                "TableName": self._table,
                "Item": to_dynamodb({"pk": _NEWEST, "sk": table, "hour": hour}),
                "ConditionExpression": "attribute_not_exists(pk) OR #hour < :hour",
                "ExpressionAttributeNames": {"#hour": "hour"},
                "ExpressionAttributeValues": to_dynamodb({":hour": hour}),
            }
            is_met(lambda put=put: self._client.put_item(**put))  # type: ignore[misc]

    def newest_hours(self) -> dict[str, datetime]:
        """Return the begin of the newest hour with rows (UTC) of each table that ever had one."""
        return {item["sk"]: datetime.fromisoformat(f"{item['hour']}:00+00:00") for item in self._query(_NEWEST)}

    def oldest_pending(self) -> datetime | None:
        """Return when the oldest chunk that waits for its conversion was committed; None when none waits."""
        for item in self._query(PENDING, limit=1):  # chunk ids grow with time
            return datetime.fromisoformat(item["created_at"]).astimezone(UTC)
        return None

    def _query(self, pk: str, limit: int = 1000) -> list[Item]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_dynamodb({":pk": pk}),
            ConsistentRead=True,
            Limit=limit,
        )
        return [from_dynamodb(item) for item in answer["Items"]]
