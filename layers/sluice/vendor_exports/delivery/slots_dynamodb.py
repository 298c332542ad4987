"""Records of slots and multipart uploads in a DynamoDB table.

| pk | sk | item |
|---|---|---|
| ``Test``, ``Prod`` | ``YYYYMMDD-HH`` | a slot |
| ``upload`` | key in the lake | a multipart upload that was begun |
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from sluice.aws.runtime import Item, from_dynamodb, to_dynamodb
from sluice.lake.lease import LeaseLostError
from sluice.lake.lease_dynamodb import OWNED, DynamoLeases
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Export, ExportResult, Job, JobState, Slot
from sluice.vendor_exports.delivery.slot_records import SlotRecord
from sluice.vendor_exports.delivery.transfers import Provenance, Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoSlots:
    """Reads and writes the records of slots. Writes raise LeaseLostError when another execution has the slot."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._leases = DynamoLeases(client, table)

    def get(self, environment: Environment, slot: Slot) -> SlotRecord:
        """Return the record of a slot."""
        return _record(self._leases.get(_key(environment, slot)))

    def is_leased(self, environment: Environment, slot: Slot, now: datetime) -> bool:
        """Tell whether an execution works on a slot."""
        item = self._leases.get(_key(environment, slot))
        return "execution" in item and int(item.get("lease_until", 0)) >= now.timestamp()

    def claim(self, export: Export, ended: str, now: datetime, until: datetime) -> SlotRecord:
        """Take a slot that is free, whose lease is over, or that the `ended` execution has; return its record then."""
        item = self._leases.claim(
            _key(export.environment, export.slot),
            export.execution,
            ended,
            change=", lease_until = :until REMOVE checked",
            values={":until": int(until.timestamp()), ":now": int(now.timestamp())},
            expired="lease_until < :now",
        )
        return _record(item)

    def put_job(self, export: Export, job: Job) -> None:
        """Record the job."""
        values = {":guid": job.guid, ":vendor": job.vendor, ":state": job.state.value}
        self._update(export, "SET job_guid = :guid, vendor = :vendor, job_state = :state", values)

    def put_checked(self, export: Export, result: ExportResult) -> None:
        """Record the result of a check."""
        self._update(export, "SET checked = :result", {":result": _text(result)})

    def close(self, export: Export, result: ExportResult) -> None:
        """Record the result and free the slot; a repetition by the same execution changes nothing."""
        change = "SET export_result = :result, closed_by = :me REMOVE execution, lease_until"
        closed = "closed_by = :me AND attribute_not_exists(execution)"
        self._update(export, change, {":result": _text(result)}, f"({OWNED}) OR ({closed})")

    def recent(self, environment: Environment, count: int) -> list[tuple[Slot, SlotRecord]]:
        """Return the last slots with their records, newest first."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_dynamodb({":pk": environment.value}),
            ScanIndexForward=False,
            Limit=count,
        )
        items = [from_dynamodb(item) for item in found["Items"]]
        return [(Slot.parse(item["sk"]), _record(item)) for item in items]

    # Multipart uploads

    def begun(self, key: str) -> Upload | None:
        """Return the upload of a key, without its parts."""
        item = self._leases.get({"pk": "upload", "sk": key})
        return Upload(item["upload_id"], Provenance(**orjson.loads(item["provenance"]))) if item else None

    def note(self, key: str, upload: Upload) -> None:
        """Note that an upload began."""
        item = {"pk": "upload", "sk": key, "upload_id": upload.upload_id, "provenance": _text(upload.provenance)}
        self._client.put_item(TableName=self._table, Item=to_dynamodb(item))

    def forget(self, key: str) -> None:
        """Note that it ended."""
        self._client.delete_item(TableName=self._table, Key=to_dynamodb({"pk": "upload", "sk": key}))

    def _update(self, export: Export, change: str, values: dict[str, Any], condition: str = OWNED) -> None:
        key = _key(export.environment, export.slot)
        if not self._leases.update(key, export.execution, change, values, condition):
            raise LeaseLostError(f"export {export.slot}: another execution has this slot now; this one stops")


def _key(environment: Environment, slot: Slot) -> Item:
    return {"pk": environment.value, "sk": str(slot)}


def _record(item: Item) -> SlotRecord:
    job = Job(item["job_guid"], item["vendor"], JobState(item["job_state"])) if "job_guid" in item else None
    return SlotRecord(item.get("execution", ""), job, _result(item, "checked"), _result(item, "export_result"))


def _result(item: Item, name: str) -> ExportResult | None:
    return ExportResult(**orjson.loads(item[name])) if name in item else None


def _text(value: ExportResult | Provenance) -> str:
    return orjson.dumps(value).decode()
