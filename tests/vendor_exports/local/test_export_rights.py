"""Least privilege of the exports' functions: without any one of its rights a function fails."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cli.http_server.faults import Target
from cli.http_server.transport_faults import http_error
from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call
from sluice.vendor_exports.delivery.copy_files import PART_BYTES
from sluice.vendor_exports.delivery.model import Export, Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from sluice.vendor_exports.delivery.transfers import Provenance, Upload
from tests.support.local.deployed_exports import DeployedExports, StepwiseExport

BIG, MISSING = "Document_0.bin", "Voyage_0.json.gz"

# Rights whose need the emulator does not show: it answers 404 without s3:ListBucket too. Of tables it sees their
# database only, where Glue wants catalog, database and table; metadata go after ten commits.
NOT_SHOWN = {folder: {"s3:ListBucket"} for folder in ("list_files", "copy_files", "check_delivery")} | {
    "update_history": {"s3:DeleteObject", "glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"}
}


class Steps:
    """An export step by step, then its histories, through every branch that needs a right."""

    def __init__(self, exports: DeployedExports) -> None:
        self._exports = exports
        self._cloud = exports.cloud
        self._slots = DynamoSlots(self._cloud.deployment.dynamodb, self._cloud.output("SlotsTable"))
        self._credentials = exports.credentials

    def run(self) -> None:
        """Take all steps."""
        self._exports.clear()
        credentials = replace(self._credentials, client_secret=f"rights-{uuid.uuid4()}")
        self._exports.write_secret(credentials)  # one that no worker has in memory
        content = Exports(files=4, big_bytes=PART_BYTES + 1)
        slot = Slot.of(datetime.now(UTC)).after(-3)
        self._claim_for_the_own_vendor(slot.after(-1))
        self._leave_a_dead_lease(slot)
        missing = http_error(Target(Call.FILE, MISSING, times=2), 404)  # also if copy_files is called again
        with self._exports.vendor(missing, exports=content, credentials=credentials) as vendor:
            export = self._exports.step_by_step(vendor, slot.hour)
            self._deliver(export, slot)
        self._keep_histories(slot)

    def _claim_for_the_own_vendor(self, slot: Slot) -> None:
        """Let claim_slot look into the secret, whose client id is as deployed: a vendor that stands in takes any."""
        event = {"execution": f"machine:{uuid.uuid4()}", "started_at": slot.hour.isoformat(), "input": {}}
        assert self._exports.functions.call("claim_slot", event)["decision"] == "not_set_up"

    def _leave_a_dead_lease(self, slot: Slot) -> None:
        machine = self._cloud.output("ExportMachine").replace(":stateMachine:", ":execution:")
        now = datetime.now(UTC)
        self._slots.claim(Export(self._exports.environment, slot, f"{machine}:dead"), "", now, now + timedelta(hours=1))

    def _leave_an_upload(self, slot: Slot) -> None:
        """Leave an upload of another job."""
        key = f"{slot.folder(self._exports.environment)}{BIG}"
        s3, bucket = self._cloud.deployment.s3, self._cloud.output("LakeBucket")
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        self._slots.note(key, Upload(upload, Provenance("another", "dead", "", False)))

    def _deliver(self, export: StepwiseExport, slot: Slot) -> None:
        export.trigger_job()
        export.check_job()
        export.list_files()
        self._leave_an_upload(slot)
        export.copy_files(MISSING)
        rounds = 1
        while export.check_delivery()["next_step"] == "again":
            export.list_files()
            export.copy_files(MISSING)
            rounds += 1
        assert rounds > 1
        assert export.record_result()["status"] == "delivered"

    def _keep_histories(self, slot: Slot) -> None:
        call = self._exports.functions.call
        event = {"execution": f"machine:{uuid.uuid4()}", "first": str(slot), "last": str(slot)}
        planned = call("plan_history", event)
        for part in json.loads(self._cloud.read(planned["plan_key"]))["parts"]:
            call("observe_hours", part)
        call("update_history", {"run_id": planned["run_id"]})
        call("update_history", {"slots": [str(slot)]})


def test_all_rights_are_enough_and_every_one_is_needed(exports: DeployedExports) -> None:
    steps = Steps(exports)
    with exports.secret(exports.credentials):
        steps.run()
        assert all(exports.functions.rights(folder) for folder in exports.functions.folders)
        assert exports.functions.not_needed(steps.run, NOT_SHOWN) == []
        steps.run()  # and nothing else was broken meanwhile
