"""A plain client of the vendor's API, and a clock that the test advances."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from cli.http_server.faults import Fault
from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Vendor

REAL_TIME = Timing()
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates takes longer than most tests


@dataclass
class ManualClock:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class VendorClient:
    def __init__(self, simulator: Simulator, clock: ManualClock, http: httpx.Client) -> None:
        self.simulator = simulator
        self.clock = clock
        self.http = http
        self.secret = simulator.vendor.credentials.client_secret
        self.token = "none"

    def ask_token(self, **form: str) -> httpx.Response:
        usual = {
            "grant_type": "client_credentials",
            "scope": "datalake",
            "client_id": "simulated-client",
            "client_secret": self.secret,
        }
        return self.http.post("/connect/token", data=usual | form)

    def log_in(self) -> None:
        self.token = self.ask_token().json()["access_token"]

    def export(self, name: str = "onDemandExtract1DayTest") -> httpx.Response:
        return self._post("export", {"configName": name})

    def status(self, guid: str) -> httpx.Response:
        return self._post("CheckJobStatus", {"jobGuid": guid})

    def list(self, guid: str, **query: str) -> httpx.Response:
        usual = {
            "apiToken": self.secret,
            "environmentType": "Test",
            "jobGuid": guid,
            "fileFilter": "*",
            "hideMetaData": "False",
            "expirationInMinutes": "60",
        }
        return self.http.get("/v1/datalake/presignedUrls/ACME", params=usual | query)

    def trigger(self) -> str:
        """Log in and trigger a job; return its GUID."""
        self.log_in()
        return str(self.export().json()["JobGuid"])

    def complete_job(self) -> str:
        guid = self.trigger()
        self.clock.advance(minutes=25)
        return guid

    def inflict(self, *faults: Fault) -> None:
        self.simulator.vendor.faults = faults

    def files(self, guid: str) -> dict[str, dict[str, Any]]:
        """The entries of the list, by name."""
        return {entry["key"].rpartition("/")[2]: entry for entry in self.list(guid).json()}

    def url_of(self, name: str) -> str:
        """The URL of a file of a job that is complete."""
        return str(self.files(self.complete_job())[name]["presignedDownloadURL"])

    def get(self, url: str, **headers: str) -> httpx.Response:
        return self.http.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def ask(self, call: Call, guid: str, url: str) -> httpx.Response:
        requests: dict[Call, Callable[[], httpx.Response]] = {
            Call.TOKEN: self.ask_token,
            Call.EXPORT: self.export,
            Call.STATUS: lambda: self.status(guid),
            Call.LIST: lambda: self.list(guid),
            Call.FILE: lambda: self.get(url),
        }
        return requests[call]()

    def _post(self, path: str, document: dict[str, str]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.post(f"/api/datalake/v1/{path}", json=document, headers=headers)


@contextmanager
def simulated(exports: Exports, timing: Timing = REAL_TIME) -> Iterator[VendorClient]:
    """A client of a simulator whose time stands still until the test advances it."""
    clock = ManualClock()
    with (
        Simulator(Vendor(exports, timing=timing, clock=clock)) as simulator,
        httpx.Client(base_url=simulator.url, timeout=5, trust_env=False, verify=NO_TLS) as http,
    ):
        yield VendorClient(simulator, clock, http)
