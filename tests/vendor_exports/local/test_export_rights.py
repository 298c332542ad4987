"""Least privilege of the export and history functions: without any one of its rights a function fails."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call
from cli.simulator.transport_faults import Target, http_error
from sluice.vendor_exports.delivery.file_copy import PART_BYTES
from sluice.vendor_exports.delivery.model import Lease, Provenance
from sluice.vendor_exports.delivery.slots import Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from tests.support.deployed_exports import DeployedExports, StepwiseExport
from tests.support.deployed_functions import RefusedError

BIG, MISSING = "Document_0.bin", "Voyage_0.json.gz"

# Rights the emulator does not show to be needed: it tells of a missing object whoever asks.
NOT_SHOWN = {folder: {"s3:ListBucket"} for folder in ("list_files", "copy_files", "check_delivery")}


class Steps:
    """One export by hand, then the histories of it: every branch that asks for a right included."""

    def __init__(self, deployed_exports: DeployedExports) -> None:
        self._exporting = deployed_exports
        self._cloud = deployed_exports.cloud
        self._slots = DynamoSlots(self._cloud.deployment.dynamodb, self._cloud.output("SlotsTable"))
        self._credentials = deployed_exports.credentials

    def run(self) -> None:
        """Take all steps; a function that did not do its work counts as failed."""
        self._exporting.clear()
        credentials = replace(self._credentials, client_secret=f"rights-{uuid.uuid4()}")
        self._exporting.write_secret(credentials)  # one that no worker has in memory
        exports = Exports(files=4, big_bytes=PART_BYTES + 1)
        slot = Slot.of(datetime.now(UTC)).after(-3)
        self._leave_a_dead_lease(slot)
        missing = http_error(Target(Call.FILE, MISSING, times=1), 404)
        with self._exporting.vendor(missing, exports=exports, credentials=credentials) as vendor:
            export = self._exporting.by_hand(vendor, slot.hour)
            self._deliver(export, slot)
        self._keep_histories(slot)

    def _leave_a_dead_lease(self, slot: Slot) -> None:
        machine = self._cloud.output("ExportMachine").replace(":stateMachine:", ":execution:")
        now = datetime.now(UTC)
        self._slots.claim(Lease(self._exporting.environment, slot, f"{machine}:dead"), now, now + timedelta(hours=1))

    def _leave_an_upload(self, slot: Slot) -> None:
        """Let an upload of another job lie around."""
        key, provenance = f"{slot.folder(self._exporting.environment)}{BIG}", Provenance("another", "dead", "", False)
        s3, bucket = self._cloud.deployment.s3, self._cloud.output("LakeBucket")
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        self._slots.note(key, upload, provenance)

    def _deliver(self, export: StepwiseExport, slot: Slot) -> None:
        export.trigger()
        export.check()
        export.list_files()
        self._leave_an_upload(slot)
        export.copy()
        while export.prove()["turn"] == "again":
            export.list_files()
            export.copy()
        if export.close()["status"] != "delivered":
            raise RefusedError("a file did not arrive")

    def _keep_histories(self, slot: Slot) -> None:
        call = self._exporting.functions.call
        event = {"execution": f"machine:{uuid.uuid4()}", "first": str(slot), "last": str(slot)}
        planned = call("plan_history", event)
        for part in json.loads(self._cloud.read(planned["plan_key"]))["parts"]:
            call("observe_hours", part)
        call("update_history", {"run_id": planned["run_id"]})
        call("update_history", {"slots": [str(slot)]})


def test_all_rights_are_enough_and_every_one_is_needed(deployed_exports: DeployedExports) -> None:
    steps = Steps(deployed_exports)
    with deployed_exports.secret(deployed_exports.credentials):
        steps.run()
        assert all(deployed_exports.functions.rights(folder) for folder in deployed_exports.functions.folders)
        assert deployed_exports.functions.not_needed(steps.run, lambda: None, NOT_SHOWN) == []
        steps.run()  # and nothing else was broken meanwhile
