"""The records of slots: a DynamoDB table that says who works on a slot, its job, and what became of it.

| pk | sk | item |
|---|---|---|
| ``Test``, ``Prod`` | ``YYYYMMDD-HH`` | a slot |
| ``upload`` | key in the lake | an upload in parts that was begun |
"""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from sluice.aws.clients import is_met
from sluice.event_files.ledger.ledger_items import Item, from_dynamodb, to_dynamodb
from sluice.vendor_exports.delivery.model import Account, Job, JobState, Lease, Provenance
from sluice.vendor_exports.delivery.ports import LeaseLostError
from sluice.vendor_exports.delivery.slots import Environment, Slot

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_UPLOAD = "upload"
_OWNER = {"#owner": "owner"}  # a reserved word


class DynamoSlots:
    """Reads and writes the records of slots."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Bind client and table."""
        self._client = client
        self._table = table

    def claim(self, lease: Lease, now: datetime, until: datetime) -> str | None:
        """Take a slot that is free or whose lease is over; return the execution that has it otherwise."""
        free = "attribute_not_exists(#owner) OR #owner = :me OR lease_until < :now"
        while not self._take(lease, until, free, {":now": int(now.timestamp())}):
            owner = self.owner(lease.environment, lease.slot)
            if owner:  # otherwise it was freed a moment ago
                return owner
        return None

    def take_over(self, lease: Lease, owner: str, until: datetime) -> bool:
        """Take a slot from an execution, if it still has it; tell whether it was taken."""
        return self._take(lease, until, "#owner = :owner", {":owner": owner})

    def owner(self, environment: Environment, slot: Slot) -> str | None:
        """Return the execution that has the slot."""
        owner = self._slot(environment, slot).get("owner")
        return str(owner) if owner else None

    def job(self, environment: Environment, slot: Slot) -> Job | None:
        """Return the slot's last job."""
        item = self._slot(environment, slot)
        return Job(item["job_guid"], item["vendor"], JobState(item["job_state"])) if "job_guid" in item else None

    def put_job(self, lease: Lease, job: Job) -> None:
        """Record the job. Raises LeaseLostError."""
        values = {":guid": job.guid, ":vendor": job.vendor, ":state": job.state.value}
        self._update_own(lease, "SET job_guid = :guid, vendor = :vendor, job_state = :state", values)

    def put_findings(self, lease: Lease, account: Account) -> None:
        """Record what is known so far. Raises LeaseLostError."""
        self._update_own(lease, "SET findings = :account", {":account": _text(account)})

    def findings(self, lease: Lease) -> Account | None:
        """Return what this execution recorded last."""
        return _account(self._slot(lease.environment, lease.slot).get("findings"))

    def close(self, lease: Lease, account: Account) -> None:
        """Record the account and free the slot; again, by the same execution, it changes nothing.

        Raises:
            LeaseLostError: Another execution has the slot.
        """
        change = "SET account = :account, closed_by = :closer REMOVE #owner, lease_until"
        values = {":account": _text(account), ":closer": lease.execution}
        closed = "closed_by = :closer AND attribute_not_exists(#owner)"
        self._update_own(lease, change, values, f"(#owner = :me) OR ({closed})")

    def account(self, environment: Environment, slot: Slot) -> Account | None:
        """Return what became of the slot's last export."""
        return _account(self._slot(environment, slot).get("account"))

    def recent(self, environment: Environment, count: int) -> list[tuple[Slot, Account | None]]:
        """Return the last slots with their accounts, the newest first; a slot that is worked on has none."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_dynamodb({":pk": environment.value}),
            ScanIndexForward=False,
            Limit=count,
        )
        items = map(from_dynamodb, found["Items"])
        return [(Slot.parse(item["sk"]), None if "owner" in item else _account(item.get("account"))) for item in items]

    # Uploads in parts

    def begun(self, key: str) -> tuple[str, Provenance] | None:
        """Return id and provenance of the upload of a key."""
        item = self._get({"pk": _UPLOAD, "sk": key})
        return (item["upload_id"], Provenance(**orjson.loads(item["provenance"]))) if item else None

    def note(self, key: str, upload_id: str, provenance: Provenance) -> None:
        """Note that an upload began."""
        item = {
            "pk": _UPLOAD,
            "sk": key,
            "upload_id": upload_id,
            "provenance": orjson.dumps(asdict(provenance)).decode(),
        }
        self._client.put_item(TableName=self._table, Item=to_dynamodb(item))

    def forget(self, key: str) -> None:
        """Note that it ended."""
        self._client.delete_item(TableName=self._table, Key=to_dynamodb({"pk": _UPLOAD, "sk": key}))

    # DynamoDB

    def _slot(self, environment: Environment, slot: Slot) -> Item:
        return self._get(_key(environment, slot))

    def _get(self, key: Item) -> Item:
        found = self._client.get_item(TableName=self._table, Key=to_dynamodb(key), ConsistentRead=True)
        return from_dynamodb(found.get("Item", {}))

    def _take(self, lease: Lease, until: datetime, condition: str, values: dict[str, Any]) -> bool:
        change = "SET #owner = :me, lease_until = :until REMOVE findings"
        return self._update(lease, change, {**values, ":until": int(until.timestamp())}, condition)

    def _update_own(self, lease: Lease, change: str, values: dict[str, Any], condition: str = "#owner = :me") -> None:
        if not self._update(lease, change, values, condition):
            raise LeaseLostError(
                f"export {lease.slot}: another execution has this slot now; this one stops, that one goes on"
            )

    def _update(self, lease: Lease, change: str, values: dict[str, Any], condition: str) -> bool:
        return is_met(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=to_dynamodb(_key(lease.environment, lease.slot)),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames=_OWNER,
                ExpressionAttributeValues=to_dynamodb({**values, ":me": lease.execution}),
            )
        )


def _key(environment: Environment, slot: Slot) -> Item:
    return {"pk": environment.value, "sk": str(slot)}


def _text(account: Account) -> str:
    return orjson.dumps(account.to_json()).decode()


def _account(text: str | None) -> Account | None:
    return Account.from_json(orjson.loads(text)) if text else None
