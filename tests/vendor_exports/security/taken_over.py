"""Ask a simulated vendor that was taken over, in a process of its own; print what came of it, and what it cost."""

import json
import os
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx

from cli.simulator.exports import Exports
from cli.simulator.fault_catalogue import CATALOGUE
from cli.simulator.http_messages import Call
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Vendor
from sluice.vendor_exports.client.api import VendorError
from sluice.vendor_exports.delivery.model import Export, Slot
from sluice.vendor_exports.delivery.transfers import DownloadError
from sluice.vendor_exports.delivery.vendor_access_http import VendorAccess
from tests.support.peak_memory import peak_mb
from tests.vendor_exports.integration.exporting import ENVIRONMENT
from tests.vendor_exports.unit.simulator.vendor_client import NO_TLS, ManualClock


def main(*names: str) -> None:
    os.environ |= {**ENVIRONMENT, "PAUSE_MILLISECONDS": "0", "TIMEOUT_SECONDS": "1"}
    httpx.create_ssl_context = lambda **_: NO_TLS
    for name in names:
        began = time.monotonic()
        _say({"fault": name, "came": _ask(name), "seconds": round(time.monotonic() - began, 1)})
    usage = {"peak_mb": round(peak_mb()), "cpu_seconds": round(time.process_time(), 1)}
    _say(usage)


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(document)}\n")


def _ask(name: str) -> str:
    """Ask for the list, or a file, with the fault in place; an error of any other kind than ours ends the process."""
    clock = ManualClock(datetime.now(UTC))
    with Simulator(Vendor(Exports(files=5), clock=clock)) as simulator:
        secret = simulator.vendor.credentials
        document = {"Veson_client_id": secret.client_id, "Veson_client_secret": secret.client_secret}
        manager: Any = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": json.dumps(document)})
        access = VendorAccess(manager)
        client = access.client(Export(access.environment, Slot.of(clock()), "arn", simulator.url))
        accepted: Any = client.trigger(access.environment)
        clock.advance(minutes=30)
        listed = client.files(access.environment, accepted.job_guid, 60)
        simulator.vendor.faults = [CATALOGUE[name].make()]
        try:
            if not name.startswith(Call.FILE):
                return f"{len(client.files(access.environment, accepted.job_guid, 60))} files"
            with access.downloads.open(listed[0].url, 0) as download:
                return f"{sum(map(len, download.chunks))} bytes"
        except (VendorError, DownloadError) as error:
            return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main(*sys.argv[1:])
