"""The functions of the Export machine on moto, against the simulator, in the machine's order."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3
import httpx
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3 import models as moto_s3

from cli.simulator.access import Credentials
from cli.simulator.exports import Exports
from cli.simulator.jobs import Jobs, Timing
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Vendor
from sluice.vendor_exports.delivery import copy_files, downloads_http
from sluice.vendor_exports.delivery import vendor_access_http as vendor_adapter
from tests.support.lambda_handlers import Handler, load_handler
from tests.support.moto.aws_calls import AwsCalls, AwsUnavailableError, Call, Interceptor, KilledError
from tests.support.moto.backend import clear_table, items_of, objects_of
from tests.support.moto.stage import LAKE, LEDGER, MotoStage
from tests.vendor_exports.unit.simulator.vendor_client import NO_TLS, ManualClock

SLOTS_TABLE = LEDGER  # it has the keys of the table of slots
PART = 64 << 10
EXPORTS = Exports(files=5, big_bytes=2 * PART + 1000)
"""Five small files, and one in three parts."""

FOLDER = "DEV/IMOSDL/Hourly/20260301/12/"
POLL, FIRST_WAIT = 60, 120

_SECRET = "sluice-test/veson"
_ACCOUNTS = "arn:aws:states:us-east-1:123456789012"
ENVIRONMENT = {
    "SLOTS_TABLE": SLOTS_TABLE,
    "LEASE_MINUTES": "360",
    "PATIENCE_SECONDS": str(75 * 60),
    "POLL_SECONDS": str(POLL),
    "DEADLINE_SECONDS": str(90 * 60),
    "MAX_FILE_BYTES": str(1 << 30),
    "BATCH_FILES": "4",
    "BATCH_BYTES": str(1 << 20),
    "ROUNDS": "3",
    "OUT_OF_SCOPE": "",
    "ENVIRONMENT": "Test",
    "PIPELINE": "exports",
    "AUTH_URL": "https://auth.invalid",
    "EXPORT_URL": "https://export.invalid",
    "FILES_URL": "https://files.invalid",
    "COMPANY": "ACME",
    "DOWNLOAD_HOSTS": "",
    "SECRET_ID": _SECRET,
    "TIMEOUT_SECONDS": "10",
    "PAUSE_MILLISECONDS": "0",
    "OTHER_VENDORS": "allowed",
    "PROXY": "",
}
STEPS = ("claim_slot", "trigger_job", "check_job", "list_files", "copy_files", "check_delivery", "record_result")


def execution_arn(name: str) -> str:
    return f"{_ACCOUNTS}:execution:export:{name}"


@dataclass
class Exporting:
    """Runs executions of the machine; `crashes` counts steps that died and were tried again."""

    moto_stage: MotoStage
    simulator: Simulator
    clock: ManualClock
    monkeypatch: pytest.MonkeyPatch
    crashes: int = 0
    _functions: dict[str, Handler] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start processes of functions; older ones are no more."""
        for name in names:
            self._functions[name] = load_handler(name, self.monkeypatch, **ENVIRONMENT)

    def reset(self) -> None:
        """Forget all deliveries, at the vendor's too, and start all functions."""
        self.start(*STEPS)
        clear_table(SLOTS_TABLE)
        moto_s3.s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[LAKE].keys.clear()
        self.simulator.vendor.jobs = Jobs()
        self.simulator.vendor.faults = ()
        self.simulator.journal.clear()
        self.write_secret(self.simulator.vendor.credentials.client_secret)
        self.clock.now = datetime.fromisoformat("2026-03-01T12:02:00.250Z")
        self.crashes = 0

    def write_secret(self, client_secret: str) -> None:
        """Put a secret of the client into the stage's secret."""
        secret = {"Veson_client_id": Credentials().client_id, "Veson_client_secret": client_secret}
        boto3.client("secretsmanager").put_secret_value(SecretId=_SECRET, SecretString=json.dumps(secret))

    # The machine

    def run(
        self, name: str = "run", slot: str = "", failure: Interceptor | None = None, *, gives_up: bool = False
    ) -> dict[str, Any]:
        """Run an execution; the step that `failure` hits is tried again, in a new process and without failure.

        Unless the machine gives up: then it dies of it.
        """
        crashes = self.crashes

        def around(operation: str, call: Call) -> Any:
            return failure(operation, call) if failure and self.crashes == crashes else call()

        with self.moto_stage.calls.intercept(around) if failure else nullcontext():
            return _Machine(self, gives_up).run(name, slot)

    def call(self, step: str, event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(json.dumps(self._functions[step](json.loads(json.dumps(event)))))
        return answer

    def claim(self, name: str, slot: str = "") -> dict[str, Any]:
        """Call the first step."""
        return self.call("claim_slot", self.claim_event(name, slot))

    def claim_event(self, name: str, slot: str = "") -> dict[str, Any]:
        wanted = {"slot": slot} if slot else {}
        started = self.clock().isoformat().replace("+00:00", "Z")
        return {
            "execution": name if name.startswith("arn:") else execution_arn(name),
            "started_at": started,
            "input": {"vendor_url": self.simulator.url, **wanted},
        }

    # What is there

    def lake(self) -> dict[str, bytes]:
        """All that lasts, with the names of jobs left out: a job may have been triggered twice."""
        guids = [job.guid.encode() for job in self.simulator.vendor.jobs._jobs.values()]
        return {key: _without(body, guids) for key, body in objects_of(LAKE, "DEV/").items()}

    def result(self, slot: str = "20260301-12") -> dict[str, Any]:
        (item,) = [item for item in items_of(SLOTS_TABLE) if item["sk"] == slot]
        result: dict[str, Any] = json.loads(item["export_result"])
        return result


@dataclass
class _Machine:
    """An execution: the states of the machine, one after the other."""

    exporting: Exporting
    gives_up: bool
    state: dict[str, Any] = field(default_factory=dict)

    def run(self, name: str, slot: str) -> dict[str, Any]:
        self.state = self._step("claim_slot", self.exporting.claim_event(name, slot))
        if self.state["decision"] == "busy":
            return self.state
        if self.state["decision"] == "resume" or self._trigger():
            self._check()
        self.state["result"] = self._step("record_result", self.state)
        return self.state

    def _trigger(self) -> bool:
        while self._ask("trigger_job", "trigger", "waited_seconds")["next_step"] == "wait":
            self._wait(self.state["trigger"]["wait_seconds"])
        self._wait(FIRST_WAIT)
        return bool(self.state["trigger"]["next_step"] == "accepted")

    def _check(self) -> None:
        while self._ask_for_job()["next_step"] == "wait":
            self._wait(self.state["check"]["wait_seconds"])
        if self.state["check"]["next_step"] == "lost" and self._trigger():
            self._check()
        elif self.state["check"]["next_step"] == "complete":
            self._deliver()

    def _deliver(self) -> None:
        while (next_step := self._ask_for_files("list_files")) != "over":
            if next_step == "files":
                self._copy()
                next_step = self._ask_for_files("check_delivery")
            if next_step == "over":
                return
            if next_step == "wait":
                self._wait(self.state["delivery"]["wait_seconds"])

    def _ask_for_files(self, step: str) -> str:
        return str(self._ask(step, "delivery", "round", "waited_seconds")["next_step"])

    def _ask_for_job(self) -> dict[str, Any]:
        return self._ask(
            "check_job", "check", "waited_seconds", "unknown", triggered=self.state["trigger"]["next_step"]
        )

    def _copy(self) -> None:
        plan = json.loads(objects_of(LAKE)[self.state["delivery"]["plan_key"]])
        for batch in plan["batches"]:
            self._step("copy_files", {"export": self.state["export"], "batch": batch})

    def _ask(self, step: str, name: str, *members: str, **more: str) -> dict[str, Any]:
        payload = {member: self.state[name][member] for member in members} | more
        answer = self.state[name] = self._step(step, {"export": self.state["export"], **payload})
        return answer

    def _step(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.exporting.call(name, event)
        except (AwsUnavailableError, KilledError):
            if self.gives_up:
                raise
            self.exporting.crashes += 1
            self.exporting.start(name)
        return self.exporting.call(name, event)

    def _wait(self, seconds: float) -> None:
        self.exporting.clock.advance(seconds=seconds)


@pytest.fixture
def export(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporting]:
    """Yield functions and vendor, without a delivery."""
    monkeypatch.setattr(copy_files, "PART_BYTES", PART)
    monkeypatch.setattr(downloads_http, "_CHUNK_BYTES", PART // 4)
    monkeypatch.setattr(moto_s3, "S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr(copy_files, "_THREADS", 1)  # the same order in each run
    clock = ManualClock()
    monkeypatch.setattr(vendor_adapter, "_now", clock)
    # Every process would load all certificates, which takes longer than the rest.
    monkeypatch.setattr("httpx.create_ssl_context", lambda **_: NO_TLS)
    with (
        _intercepted_requests(moto_stage.calls, monkeypatch),
        Simulator(Vendor(EXPORTS, timing=Timing(init=60, replication=90), clock=clock)) as simulator,
    ):
        boto3.client("secretsmanager").create_secret(Name=_SECRET)
        made = Exporting(moto_stage, simulator, clock, monkeypatch)
        made.reset()
        yield made


@contextmanager
def _intercepted_requests(calls: AwsCalls, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Intercept requests to the vendor as calls, too; close their connections in the end."""
    handle = httpx.HTTPTransport.handle_request
    transports: set[httpx.HTTPTransport] = set()

    def intercepted(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        transports.add(transport)
        if calls.interceptor is None:
            return handle(transport, request)
        answers: list[httpx.Response] = []

        def call() -> httpx.Response:
            answers.append(handle(transport, request))
            return answers[-1]

        try:
            answer: httpx.Response = calls.interceptor(f"vendor {request.url.path.split('/')[1]}", call)
        except BaseException:
            for each in answers:
                each.close()
            raise
        return answer

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", intercepted)
    yield
    for transport in transports:
        transport.close()


def _without(body: bytes, guids: list[bytes]) -> bytes:
    for guid in guids:
        body = body.replace(guid, b"GUID")
    return body
