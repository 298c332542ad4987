"""The deployed Export machine, run against vendors that a test simulates."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

import pytest

from cli.http_server.faults import Fault, Target
from cli.simulator import vendor_faults
from cli.simulator.access import Credentials
from cli.simulator.exports import Exports, files_of
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Vendor
from cli.vendor_exports.slots import environment_of
from cli.vendor_exports.vendor import simulator_credentials
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import MANIFEST, Slot
from tests.support.local.deployed_cloud import Cloud, CommandResult
from tests.support.local.deployed_functions import Functions

AT_ONCE = Timing(compression=float("inf"))
FILES = 10
EXPORTS = Exports(files=FILES)
VOYAGE, VESSEL, CARGO, INVOICE = "Voyage_0.json.gz", "Vessel_1.json.gz", "CargoBook_2.json.gz", "Invoice_3.json.gz"
TWO_POLLS = Timing(init=0, replication=1)

Faults = Callable[[], list[Fault]]


@dataclass(frozen=True)
class DeployedExports:
    """Exports of the local stage; tests of one hour share its slot, so each clears it first."""

    cloud: Cloud

    @cached_property
    def functions(self) -> Functions:
        return Functions(self.cloud, "vendor_exports")

    @property
    def credentials(self) -> Credentials:
        return simulator_credentials(self.cloud.deployment)

    @cached_property
    def environment(self) -> Environment:
        return environment_of(self.cloud.deployment)

    def clear(self) -> None:
        """Delete all slots: files, records, histories."""
        deployment = self.cloud.deployment
        for prefix in (self.environment.root, "runs/exports/", "runs/history/"):
            for key in self.cloud.keys(prefix):
                deployment.s3.delete_object(Bucket=self.cloud.output("LakeBucket"), Key=key)
        table = self.cloud.output("SlotsTable")
        for item in deployment.dynamodb.scan(TableName=table)["Items"]:
            deployment.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})

    @contextmanager
    def secret(self, credentials: Credentials) -> Iterator[None]:
        """Put other credentials into the stage's secret for the time of the context."""
        client, name = self.cloud.client("secretsmanager"), self.cloud.output("VendorSecret")
        before = client.get_secret_value(SecretId=name)["SecretString"]
        self.write_secret(credentials)
        try:
            yield
        finally:
            client.put_secret_value(SecretId=name, SecretString=before)

    def write_secret(self, credentials: Credentials) -> None:
        secret = {"Veson_client_id": credentials.client_id, "Veson_client_secret": credentials.client_secret}
        client, name = self.cloud.client("secretsmanager"), self.cloud.output("VendorSecret")
        client.put_secret_value(SecretId=name, SecretString=json.dumps(secret))

    @contextmanager
    def vendor(
        self,
        *faults: Fault,
        exports: Exports = EXPORTS,
        timing: Timing = AT_ONCE,
        credentials: Credentials | None = None,
    ) -> Iterator[Simulator]:
        """Run a vendor that accepts the credentials of the stage."""
        with Simulator(Vendor(exports, faults, timing, credentials or self.credentials)) as vendor:
            yield vendor

    def export(self, vendor: Simulator, slot: str | None = None) -> CommandResult:
        """Run `sluice export … --json`."""
        wanted = ["--slot", slot] if slot else []
        return self.cloud.invoke("export", "--vendor-url", vendor.url, "--timeout", "1000", *wanted)

    def start(self, vendor: Simulator) -> str:
        """Start an execution and return its ARN at once."""
        document = json.dumps({"vendor_url": vendor.url})
        client, machine = self.cloud.deployment.stepfunctions, self.cloud.output("ExportMachine")
        return client.start_execution(stateMachineArn=machine, input=document)["executionArn"]

    def output(self, execution: str) -> dict[str, Any]:
        found = self.cloud.deployment.stepfunctions.describe_execution(executionArn=execution)
        output: dict[str, Any] = json.loads(found["output"])
        return output

    def ended(self, execution: str) -> tuple[str, str | None, str | None]:
        """Return status, error and cause of an execution, as the console shows them."""
        found = self.cloud.deployment.stepfunctions.describe_execution(executionArn=execution)
        return found["status"], found.get("error"), found.get("cause")

    def landed(self, folder: str) -> dict[str, str]:
        """Return name and MD5 of the vendor's files in a folder."""
        names = (key.removeprefix(folder) for key in self.cloud.keys(folder))
        return {name: _md5(self.cloud.read(f"{folder}{name}")) for name in names if name != MANIFEST}

    def step_by_step(self, vendor: Simulator, started_at: datetime | None = None) -> StepwiseExport:
        """Claim the slot for an export whose steps the test calls."""
        machine = self.cloud.output("ExportMachine").replace(":stateMachine:", ":execution:")
        execution = f"{machine}:by-hand-{uuid.uuid4()}"
        event = {"execution": execution, "started_at": (started_at or datetime.now(UTC)).isoformat()}
        state = self.functions.call("claim_slot", {**event, "input": {"vendor_url": vendor.url}})
        return StepwiseExport(self, state)


@dataclass
class StepwiseExport:
    """An export whose functions are called one by one, told that they waited as long as the test says."""

    exports: DeployedExports
    state: dict[str, Any]

    @property
    def folder(self) -> str:
        """Return the prefix of the slot's files."""
        return Slot.parse(self.state["export"]["slot"]).folder(self.exports.environment)

    def trigger_job(self, waited_seconds: int = 0) -> dict[str, Any]:
        return self._step("trigger", "trigger_job", waited_seconds=waited_seconds)

    def check_job(self, waited_seconds: int = 0) -> dict[str, Any]:
        return self._step("check", "check_job", triggered="accepted", waited_seconds=waited_seconds, unknown=0)

    def list_files(self) -> dict[str, Any]:
        return self._step("delivery", "list_files", round=self.state["delivery"]["round"], waited_seconds=0)

    def batches(self) -> list[dict[str, Any]]:
        """Return the events that copy_files is called with."""
        plan = json.loads(self.exports.cloud.read(self.state["delivery"]["plan_key"]))
        return [{"export": self.state["export"], "batch": batch} for batch in plan["batches"]]

    def copy_files(self, failing: str | None = None) -> None:
        """Copy all batches, whose files arrive, but for a `failing` one."""
        for event in self.batches():
            failures = sum(file["name"] == failing for file in event["batch"]["files"])
            self.exports.functions.call("copy_files", event, partial(_failed_more, failures))

    def check_delivery(self) -> dict[str, Any]:
        return self._step("delivery", "check_delivery", round=self.state["delivery"]["round"], waited_seconds=0)

    def record_result(self) -> dict[str, Any]:
        return dict(self._call("record_result", self.state))

    def _step(self, name: str, folder: str, **values: Any) -> dict[str, Any]:
        self.state[name] = self._call(folder, {"export": self.state["export"], **values})
        return dict(self.state[name])

    def _call(self, folder: str, event: dict[str, Any]) -> Any:
        return self.exports.functions.call(folder, event)


def _failed_more(failures: int, answer: dict[str, Any]) -> bool:
    return bool(answer["failed"] > failures)


def contents(vendor: Simulator) -> dict[str, str]:
    """Return name and MD5 of the files that the vendor's jobs deliver, faults included."""
    exports = vendor.vendor.exports
    for fault in vendor.vendor.own_faults:
        exports = fault.exports(exports)
    return {name: file.md5 for name, file in files_of(exports).items()}


def everywhere(make: Callable[[Target], Fault]) -> list[Fault]:
    """Return the same fault for the first request of each call."""
    return [make(first_of(call)) for call in Call]


def first_of(call: Call) -> Target:
    return Target(call, times=1)


def once_at(call: Call, happen: Callable[[Vendor], None]) -> Fault:
    return vendor_faults.vendor_action(first_of(call), happen)


def assert_delivered(exports: DeployedExports, vendor: Simulator, result: CommandResult) -> None:
    """Assert that every promised file arrived, byte by byte, beside the manifest, and that nothing was reported."""
    assert (result.exit_code, result.stderr) == (0, ""), result.document
    document = result.document
    assert (document["status"], document["promised"]) == ("delivered", FILES)
    assert exports.ended(document["execution"])[0] == "SUCCEEDED"
    assert (document["missing"], document["missing_tables"], document["cause"]) == ([], [], "")
    assert exports.landed(document["folder"]) == contents(vendor)
    promised = json.loads(exports.cloud.read(f"{document['folder']}{MANIFEST}"))
    assert [sorted(entry) for entry in promised] == [["key", "size"]] * FILES


@pytest.fixture
def exports(cloud: Cloud) -> DeployedExports:
    """Return the exports of the local stage, with no slot recorded yet."""
    exports = DeployedExports(cloud)
    exports.clear()
    return exports


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
