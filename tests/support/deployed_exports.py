"""The deployed Export machine, and vendors of the tests' own."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from typer.testing import CliRunner

from cli.main import app
from cli.simulator import vendor_faults
from cli.simulator.access import Credentials
from cli.simulator.exports import Exports, files_of
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.transport_faults import Fault, Target
from cli.simulator.vendor import Vendor
from cli.vendor_exports.exports import environment_of, simulator_credentials
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.slots import MANIFEST, Slot
from tests.support.deployed_cloud import Cloud
from tests.support.deployed_functions import Functions

AT_ONCE = Timing(compression=float("inf"))
FILES = 10


@dataclass(frozen=True)
class CommandResult:
    """What an operator gets: the exit code, the document of `--json`, and the words on standard error."""

    exit_code: int
    document: dict[str, Any]
    words: str


@dataclass(frozen=True)
class DeployedExports:
    """Exports of the local stage.

    A slot is an hour, so all tests of an hour share it: each clears it first and has a vendor of its own, whose
    address tells its job from those of others. Should the hour change meanwhile, the new slot is as clean.
    """

    cloud: Cloud

    @cached_property
    def functions(self) -> Functions:
        """The functions of both machines."""
        return Functions(self.cloud, "Exports")

    @property
    def credentials(self) -> Credentials:
        """What the stage's secret holds."""
        return simulator_credentials(self.cloud.deployment)

    @cached_property
    def environment(self) -> Environment:
        """The stage's flow."""
        return environment_of(self.cloud.deployment)

    def clear(self) -> None:
        """Forget all slots: files, records, histories."""
        deployment = self.cloud.deployment
        for prefix in (self.environment.root, "data/history/", "runs/exports/", "runs/history/"):
            for key in self.cloud.keys(prefix):
                deployment.s3.delete_object(Bucket=self.cloud.output("LakeBucket"), Key=key)
        table = self.cloud.output("SlotsTable")
        for item in deployment.dynamodb.scan(TableName=table)["Items"]:
            deployment.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})

    @contextmanager
    def secret(self, credentials: Credentials) -> Iterator[None]:
        """Let the stage's secret hold other credentials for as long as the context lasts."""
        client, name = self.cloud.client("secretsmanager"), self.cloud.output("VendorSecret")
        before = client.get_secret_value(SecretId=name)["SecretString"]
        self.write_secret(credentials)
        try:
            yield
        finally:
            client.put_secret_value(SecretId=name, SecretString=before)

    def write_secret(self, credentials: Credentials) -> None:
        """Put credentials into the stage's secret."""
        secret = {"Veson_client_id": credentials.client_id, "Veson_client_secret": credentials.client_secret}
        client, name = self.cloud.client("secretsmanager"), self.cloud.output("VendorSecret")
        client.put_secret_value(SecretId=name, SecretString=json.dumps(secret))

    @contextmanager
    def vendor(
        self,
        *faults: Fault,
        exports: Exports | None = None,
        timing: Timing = AT_ONCE,
        credentials: Credentials | None = None,
    ) -> Iterator[Simulator]:
        """Run a vendor that accepts what the stage's secret holds."""
        with Simulator(exports or Exports(files=FILES), faults, timing, credentials or self.credentials) as vendor:
            yield vendor

    def export(self, vendor: Simulator, slot: str | None = None) -> CommandResult:
        """Run `sluice export … --json`."""
        wanted = ["--slot", slot] if slot else []
        command = ["export", "--vendor-url", vendor.url, "--timeout", "200", *wanted, "--json"]
        done = CliRunner().invoke(app, command)  # in this process: a new one takes two seconds to start
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return CommandResult(done.exit_code, json.loads(done.stdout or "{}"), done.stderr)

    def start(self, vendor: Simulator) -> str:
        """Start an execution and do not wait for it; return its ARN."""
        document = json.dumps({"vendor_url": vendor.url})
        client, machine = self.cloud.deployment.stepfunctions, self.cloud.output("ExportMachine")
        return client.start_execution(stateMachineArn=machine, input=document)["executionArn"]

    def output(self, execution: str) -> dict[str, Any]:
        """Return what the machine's steps left when it ended well."""
        found = self.cloud.deployment.stepfunctions.describe_execution(executionArn=execution)
        output: dict[str, Any] = json.loads(found["output"])
        return output

    def ended(self, execution: str) -> tuple[str, str | None, str | None]:
        """Return status, error and cause of an execution, as the console shows them."""
        found = self.cloud.deployment.stepfunctions.describe_execution(executionArn=execution)
        return found["status"], found.get("error"), found.get("cause")

    def wait_for(self, execution: str) -> dict[str, Any]:
        """Wait until an execution ends, and return what its steps left."""
        client = self.cloud.deployment.stepfunctions
        while client.describe_execution(executionArn=execution)["status"] == "RUNNING":
            time.sleep(0.2)
        return self.output(execution)

    def landed(self, folder: str) -> dict[str, str]:
        """Return name and MD5 of the vendor's files in a folder."""
        names = (key.removeprefix(folder) for key in self.cloud.keys(folder))
        return {name: _md5(self.cloud.read(f"{folder}{name}")) for name in names if name != MANIFEST}

    def manifest(self, folder: str) -> list[dict[str, Any]]:
        """Return what lies beside the files as the proof of what was promised."""
        promised: list[dict[str, Any]] = json.loads(self.cloud.read(f"{folder}{MANIFEST}"))
        return promised

    def by_hand(self, vendor: Simulator, started_at: datetime | None = None) -> StepwiseExport:
        """Begin an execution whose steps the test takes itself."""
        machine = self.cloud.output("ExportMachine").replace(":stateMachine:", ":execution:")
        step = StepwiseExport(self, f"{machine}:by-hand-{uuid.uuid4()}")
        step.begin(vendor.url, started_at or datetime.now(UTC))
        return step


@dataclass
class StepwiseExport:
    """The machine's steps, taken one by one: what a machine would have to wait long for is said to be so."""

    deployed_exports: DeployedExports
    execution: str
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Prefix the slot's files land under."""
        return Slot.parse(self.state["export"]["slot"]).folder(self.deployed_exports.environment)

    def begin(self, vendor_url: str, started_at: datetime, slot: Slot | None = None) -> None:
        """Begin."""
        wanted = {"vendor_url": vendor_url, **({"slot": str(slot)} if slot else {})}
        event = {"execution": self.execution, "started_at": started_at.isoformat(), "input": wanted}
        self.state = self._call("claim_slot", event)

    def trigger(self, waited_seconds: int = 0) -> dict[str, Any]:
        """Trigger the job, having waited so long."""
        return self._step("trigger", "trigger_job", waited_seconds=waited_seconds)

    def check(self, polls: int = 0) -> dict[str, Any]:
        """Check the job, after so many polls."""
        return self._step("check", "check_job", triggered="accepted", polls=polls, unknown=0)

    def list_files(self) -> dict[str, Any]:
        """List the files."""
        return self._step("listing", "list_files", round=self.state["listing"]["round"])

    def copy(self) -> None:
        """Copy the batches of the list."""
        for event in self.copies():
            self._call("copy_files", event)

    def copies(self) -> list[dict[str, Any]]:
        """Return what the function that copies is called with, batch by batch."""
        plan = json.loads(self.deployed_exports.cloud.read(self.state["listing"]["plan_key"]))
        return [{"export": self.state["export"], "batch": batch} for batch in plan["batches"]]

    def prove(self) -> dict[str, Any]:
        """Check that all arrived."""
        return self._step("proof", "check_delivery", round=self.state["listing"]["round"])

    def close(self) -> dict[str, Any]:
        """Close the export."""
        account: dict[str, Any] = self._call("record_result", self.state)
        return account

    def observe(self) -> dict[str, Any]:
        """Let the histories follow."""
        observed: dict[str, Any] = self._call("update_history", {"slots": [self.state["export"]["slot"]]})
        return observed

    def deliver(self) -> dict[str, Any]:
        """Take all steps after the first."""
        self.trigger()
        self.check()
        self.list_files()
        self.copy()
        self.prove()
        return self.close()

    def _step(self, name: str, folder: str, **values: Any) -> dict[str, Any]:
        self.state[name] = self._call(folder, {"export": self.state["export"], **values})
        return dict(self.state[name])

    def _call(self, folder: str, event: dict[str, Any]) -> Any:
        return self.deployed_exports.functions.call(folder, event)


def contents(vendor: Simulator) -> dict[str, str]:
    """Return name and MD5 of what the vendor's jobs deliver, faults included."""
    exports = vendor.vendor.exports
    for fault in vendor.vendor.faults:
        exports = fault.exports(exports)
    return {name: file.content.md5 for name, file in files_of(exports).items()}


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


VOYAGE, VESSEL, CARGO, INVOICE = "Voyage_0.json.gz", "Vessel_1.json.gz", "CargoBook_2.json.gz", "Invoice_3.json.gz"
TWO_POLLS = Timing(init=0, replication=1)

Faults = Callable[[], list[Fault]]


def everywhere(make: Callable[[Target], Fault]) -> list[Fault]:
    """The same fault at each call, the first time it is made."""
    return [make(first_of(call)) for call in Call]


def first_of(call: Call) -> Target:
    return Target(call, times=1)


def once_at(call: Call, happen: Callable[[Vendor], None]) -> Fault:
    return vendor_faults.vendor_action(first_of(call), happen)


def assert_delivered(deployed_exports: DeployedExports, vendor: Simulator, result: CommandResult) -> None:
    """Every promised file is there, byte by byte, beside the manifest; nobody is result of any trouble."""
    assert (result.exit_code, result.words) == (0, ""), result.document
    document = result.document
    assert (document["status"], document["promised"]) == ("delivered", FILES)
    assert deployed_exports.ended(document["execution"])[0] == "SUCCEEDED"
    assert (document["missing"], document["missing_tables"], document["cause"]) == ([], [], "")
    assert deployed_exports.landed(document["folder"]) == contents(vendor)
    promised = deployed_exports.manifest(document["folder"])
    assert [sorted(entry) for entry in promised] == [["key", "size"]] * FILES
