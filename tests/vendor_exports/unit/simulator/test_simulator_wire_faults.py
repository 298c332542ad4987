"""Faults between client and vendor, as a client meets them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from itertools import product

import httpx
import pytest

from cli.simulator import transport_faults
from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.transport_faults import Fault, Target
from tests.vendor_exports.unit.simulator.vendor_client import VendorClient, simulated

NAME = "Voyage_0.json.gz"
Ask = Callable[[Call], httpx.Response]


@pytest.fixture
def client() -> Iterator[VendorClient]:
    with simulated(Exports(files=20)) as client:
        yield client


@pytest.fixture
def ask(client: VendorClient) -> Ask:
    """Ask for one of everything, when a job is complete and the next one would be accepted."""
    guid = client.complete_job()
    url = client.files(guid)[NAME]["presignedDownloadURL"]
    client.simulator.vendor.timing = Timing(hour=0)
    return lambda call: client.ask(call, guid, url)


@pytest.mark.parametrize(("call", "status"), [*product(Call, [500, 503, 404])])
def test_an_http_error(client: VendorClient, ask: Ask, call: Call, status: int) -> None:
    client.simulator.vendor.faults = [transport_faults.http_error(Target(call, times=2), status)]
    assert [ask(call).status_code for _ in range(3)] == [status, status, 200]


@pytest.mark.parametrize("call", Call)
def test_too_many_requests(client: VendorClient, ask: Ask, call: Call) -> None:
    client.simulator.vendor.faults = [transport_faults.too_many_requests(Target(call, times=1), 7)]
    answer = ask(call)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert ask(call).status_code == 200


def test_too_many_requests_until_a_date(client: VendorClient, ask: Ask) -> None:
    client.simulator.vendor.faults = [transport_faults.too_many_requests_until(Target(Call.LIST), 7)]
    headers = ask(Call.LIST).headers
    wait = parsedate_to_datetime(headers["Retry-After"]) - parsedate_to_datetime(headers["Date"])
    assert wait.total_seconds() == 7


@pytest.mark.parametrize("call", Call)
def test_silence(client: VendorClient, ask: Ask, call: Call) -> None:
    client.simulator.vendor.faults = [transport_faults.stalled(Target(call, times=1))]
    client.http.timeout = httpx.Timeout(0.05)
    with pytest.raises(httpx.ReadTimeout):
        ask(call)
    client.http.timeout = httpx.Timeout(5)
    assert ask(call).status_code == 200


@pytest.mark.parametrize(("call", "fault"), [*product(Call, [transport_faults.reset, transport_faults.answer_lost])])
def test_a_reset(client: VendorClient, ask: Ask, call: Call, fault: Callable[[Target], Fault]) -> None:
    client.simulator.vendor.faults = [fault(Target(call, times=1))]
    with pytest.raises(httpx.ReadError, match="reset"):
        ask(call)
    assert ask(call).status_code == 200


@pytest.mark.parametrize(("fault", "status"), [(transport_faults.reset, 200), (transport_faults.answer_lost, 400)])
def test_a_lost_answer_to_a_trigger_costs_the_hour(
    client: VendorClient, fault: Callable[[Target], Fault], status: int
) -> None:
    client.log_in()
    client.simulator.vendor.faults = [fault(Target(Call.EXPORT, times=1))]
    with pytest.raises(httpx.ReadError):
        client.export()
    assert client.export().status_code == status


@pytest.mark.parametrize("call", Call)
def test_a_truncated_body(client: VendorClient, ask: Ask, call: Call) -> None:
    client.simulator.vendor.faults = [transport_faults.truncated(Target(call, times=1))]
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        ask(call)
    assert ask(call).status_code == 200


@pytest.mark.parametrize(("call", "fault"), [*product(Call, [transport_faults.malformed, transport_faults.html_page])])
def test_no_json(client: VendorClient, ask: Ask, call: Call, fault: Callable[[Target], Fault]) -> None:
    client.simulator.vendor.faults = [fault(Target(call))]
    answer = ask(call)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("call", Call)
def test_other_json_than_promised(client: VendorClient, ask: Ask, call: Call) -> None:
    client.simulator.vendor.faults = [transport_faults.unexpected_json(Target(call, times=1))]
    assert isinstance(ask(call).json()[0], type(None))
    assert ask(call).status_code == 200


def test_a_huge_body_that_does_not_say_so(client: VendorClient) -> None:
    client.simulator.vendor.faults = [transport_faults.huge(Target(Call.TOKEN))]
    with client.http.stream("POST", "/connect/token") as answer:
        assert "Content-Length" not in answer.headers
        parts = answer.iter_raw()
        assert sum(len(next(parts)) for _ in range(100)) > 1_000_000


def test_a_huge_body_ends(client: VendorClient) -> None:
    client.simulator.vendor.faults = [transport_faults.huge(Target(Call.TOKEN), size=3_000_000)]
    assert len(client.http.post("/connect/token").content) == 3_000_000


@pytest.mark.parametrize("call", Call)
def test_a_redirect_to_another_host(client: VendorClient, ask: Ask, call: Call) -> None:
    client.simulator.vendor.faults = [transport_faults.redirected(Target(call))]
    answer = ask(call)
    assert (answer.status_code, answer.headers["Location"]) == (302, transport_faults.METADATA_SERVICE)


def test_faults_can_be_aimed_at_single_files(client: VendorClient) -> None:
    entries = client.files(client.complete_job())
    client.simulator.vendor.faults = [transport_faults.http_error(Target(Call.FILE, "Voyage_*", times=1))]
    names = ("Voyage_0.json.gz", "Voyage_12.json.gz", "Vessel_1.json.gz") * 2
    statuses = [client.get(entries[name]["presignedDownloadURL"]).status_code for name in names]
    assert statuses == [503, 503, 200, 200, 200, 200]


def test_faults_can_begin_later_and_come_together(client: VendorClient) -> None:
    client.simulator.vendor.faults = [
        transport_faults.http_error(Target(Call.TOKEN, after=1, times=1), 500),
        transport_faults.http_error(Target(Call.TOKEN, after=3, times=None), 502),
        transport_faults.too_many_requests(Target(Call.EXPORT)),
    ]
    assert [client.ask_token().status_code for _ in range(6)] == [200, 500, 200, 502, 502, 502]
    assert client.export().status_code == 429
