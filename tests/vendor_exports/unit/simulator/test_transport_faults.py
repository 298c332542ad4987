"""Faults between client and vendor, as a client meets them."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import httpx
import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Fault, Target
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from tests.vendor_exports.unit.simulator.vendor_client import VendorClient

Ask = Callable[[Call], httpx.Response]
MakeFault = Callable[[Target], Fault]


@pytest.fixture
def ask(client: VendorClient) -> Ask:
    """Make a request of one kind, while a job is complete and the next trigger would be accepted."""
    guid = client.complete_job()
    url = client.files(guid)["Voyage_0.json.gz"]["presignedDownloadURL"]
    client.simulator.vendor.timing = Timing(hour=0)
    return lambda call: client.ask(call, guid, url)


@pytest.mark.parametrize("call", Call)
@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (transport_faults.http_error, 503, b'{"Message": "Something went wrong."}'),
        (transport_faults.too_many_requests, 429, b'{"Message": "Too many requests."}'),
        (transport_faults.malformed, 200, b'[{"JobStatus": "Comp'),
        (transport_faults.html_page, 200, b"<!DOCTYPE html>"),
        (transport_faults.unexpected_json, 200, b"[null, 7,"),
        (transport_faults.redirected, 302, b""),
    ],
)
def test_the_first_requests_are_answered_otherwise(
    client: VendorClient, ask: Ask, call: Call, fault: MakeFault, status: int, body: bytes
) -> None:
    right = ask(call)
    client.inflict(fault(Target(call, times=2)))
    first, second, third = (ask(call) for _ in range(3))
    assert first.status_code == second.status_code == status
    assert first.content == second.content != right.content
    assert first.content.startswith(body)
    assert third.status_code == 200


def test_too_many_requests_says_when_to_try_again(client: VendorClient, ask: Ask) -> None:
    client.inflict(transport_faults.too_many_requests(Target(Call.LIST), 7))
    assert ask(Call.LIST).headers["Retry-After"] == "7"
    client.inflict(transport_faults.too_many_requests_until(Target(Call.LIST), 7))
    headers = ask(Call.LIST).headers
    wait = parsedate_to_datetime(headers["Retry-After"]) - parsedate_to_datetime(headers["Date"])
    assert wait.total_seconds() == 7


def test_a_redirect_leads_to_another_host(client: VendorClient) -> None:
    client.inflict(transport_faults.redirected(Target(Call.TOKEN)))
    assert client.ask_token().headers["Location"] == transport_faults.METADATA_SERVICE


@pytest.mark.parametrize(("fault", "status"), [(transport_faults.reset, 200), (transport_faults.answer_lost, 400)])
def test_a_lost_answer_to_a_trigger_costs_the_hour(client: VendorClient, fault: MakeFault, status: int) -> None:
    client.log_in()
    client.inflict(fault(Target(Call.EXPORT, times=1)))
    with pytest.raises(httpx.ReadError):
        client.export()
    assert client.export().status_code == status


def test_a_huge_body_has_no_length_and_ends(client: VendorClient) -> None:
    client.inflict(transport_faults.huge(Target(Call.TOKEN), size=3_000_000))
    answer = client.http.post("/connect/token")
    assert "Content-Length" not in answer.headers
    assert len(answer.content) == 3_000_000


def test_faults_can_be_aimed_at_single_files(client: VendorClient) -> None:
    entries = client.files(client.complete_job())
    client.inflict(transport_faults.http_error(Target(Call.FILE, "Voyage_*", times=1)))
    names = ("Voyage_0.json.gz", "Voyage_12.json.gz", "Vessel_1.json.gz") * 2
    statuses = [client.get(entries[name]["presignedDownloadURL"]).status_code for name in names]
    assert statuses == [503, 503, 200, 200, 200, 200]


def test_faults_can_begin_later_and_come_together(client: VendorClient) -> None:
    client.inflict(
        transport_faults.http_error(Target(Call.TOKEN, after=1, times=1), 500),
        transport_faults.http_error(Target(Call.TOKEN, after=3), 502),
        transport_faults.too_many_requests(Target(Call.EXPORT)),
    )
    assert [client.ask_token().status_code for _ in range(6)] == [200, 500, 200, 502, 502, 502]
    assert client.export().status_code == 429
