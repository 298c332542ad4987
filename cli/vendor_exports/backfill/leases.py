"""Whether an export works on a slot just now."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.platform.session import Deployment
from cli.vendor_exports.exports import environment_of
from sluice.event_files.ledger.ledger_items import from_dynamodb, to_dynamodb
from sluice.vendor_exports.delivery.slots import Slot

IsBusy = Callable[[Slot], bool]


def lease_reader(deployment: Deployment) -> IsBusy:
    """Look the leases of a stage's slots up; they are only read, for the Export machine owns them."""
    environment, table = environment_of(deployment), deployment.output("SlotsTable")
    client = deployment.dynamodb

    def is_busy(slot: Slot) -> bool:
        key = to_dynamodb({"pk": environment.value, "sk": str(slot)})
        item = from_dynamodb(client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {}))
        return "owner" in item and int(item.get("lease_until", 0)) >= time.time()

    return is_busy
