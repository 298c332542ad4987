"""Start an export, wait for it, and read the account of its slot."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from cli.platform import machine
from cli.platform.errors import CliError
from cli.platform.session import LOCAL, Deployment
from cli.simulator.access import Credentials
from sluice.runs.recording import console_link
from sluice.vendor_exports.delivery.model import INCOMPLETE, Account
from sluice.vendor_exports.delivery.ports import AddressRefusedError
from sluice.vendor_exports.delivery.slots import Environment, Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots

SKIPPED = "skipped"
_UNPROVEN = "Incomplete"  # the machine's state of that name: the account says the rest


@dataclass(frozen=True, slots=True)
class Export:
    """What an export did: the account of its slot, and the seconds it took as the operator waited."""

    account: Account
    seconds: float
    execution: str

    def document(self) -> dict[str, Any]:
        """The document of `sluice export --json`."""
        return {**self.account.to_json(), "seconds": self.seconds, "execution": self.execution}


def run_export(deployment: Deployment, timeout: float, slot: Slot | None = None, vendor_url: str = "") -> Export:
    """Export a slot, the present one unless one is given, and wait for the end.

    Raises:
        CliError: It was not begun, still runs after `timeout` seconds, or left no account.
    """
    _assert_right_vendor(deployment, vendor_url)
    begun = time.monotonic()
    wanted = {name: value for name, value in (("slot", slot and str(slot)), ("vendor_url", vendor_url)) if value}
    outcome = machine.run(deployment.stepfunctions, deployment.output("ExportMachine"), timeout, wanted)
    return Export(_account(deployment, outcome), round(time.monotonic() - begun, 1), outcome.execution)


def environment_of(deployment: Deployment) -> Environment:
    """The flow of a stage."""
    return Environment(deployment.output("ExportEnvironment"))


def simulator_credentials(deployment: Deployment) -> Credentials:
    """What the local stage's secret holds: a simulator with these accepts it."""
    from sluice.vendor_exports.delivery.vendor_access import SecretCredentials  # noqa: PLC0415 - its HTTP client is slow to import

    secret = SecretCredentials(deployment.secretsmanager, deployment.output("VendorSecret")).current()
    return Credentials(client_id=secret.client_id, client_secret=secret.client_secret)


def _assert_right_vendor(deployment: Deployment, vendor_url: str) -> None:
    if vendor_url and deployment.stage != LOCAL:
        raise CliError("Only the local stage may be given another vendor.", "Leave --vendor-url out.")
    if not vendor_url and deployment.stage == LOCAL:
        raise CliError("The local stage has no vendor.", "Start one with `sluice vendor`, then give --vendor-url URL.")
    if vendor_url:
        _assert_on_this_machine(vendor_url)


def _assert_on_this_machine(vendor_url: str) -> None:
    from sluice.vendor_exports.delivery.address_policy import LoopbackPolicy  # noqa: PLC0415 - likewise

    try:
        LoopbackPolicy().target(vendor_url)
    except AddressRefusedError as error:
        raise CliError(f"--vendor-url {vendor_url}: {error}.", "Such as http://127.0.0.1:4580") from error


def _account(deployment: Deployment, outcome: machine.Outcome) -> Account:
    export = outcome.output.get("export")
    if not export:
        raise CliError(f"The export was not begun: {outcome.cause}", "Nothing was asked of the vendor.")
    environment, slot = environment_of(deployment), Slot.parse(export["slot"])
    if outcome.output.get("decision") == "busy":
        return Account(str(slot), SKIPPED, slot.folder(environment), cause="another run has the slot")
    found = DynamoSlots(deployment.dynamodb, deployment.output("SlotsTable")).account(environment, slot)
    if not outcome.succeeded and outcome.end != _UNPROVEN:
        raise CliError(f"{outcome.end or outcome.state}: {outcome.cause}", _look_at(deployment, outcome))
    if found is None:
        raise CliError(f"The export of {slot} left no account.", _look_at(deployment, outcome))
    if not outcome.succeeded and found.status != INCOMPLETE:  # delivered before; this run came to look at nothing
        return replace(found, status=INCOMPLETE, copied=0, refetched=0, bytes=0, cause=outcome.cause)
    return found


def _look_at(deployment: Deployment, outcome: machine.Outcome) -> str:
    link = outcome.execution if deployment.stage == LOCAL else console_link(outcome.execution)
    return f"Running it again is harmless. Look at {link}"
