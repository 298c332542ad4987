"""Faults of the vendor: jobs, refusals, access, lists and files."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from hashlib import md5

import pytest

from cli.http_server.faults import Fault
from cli.simulator import vendor_faults
from cli.simulator.fault_catalogue import CATALOGUE
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Wording
from tests.vendor_exports.unit.simulator.vendor_client import VendorClient

NAME = vendor_faults.A_FILE


@pytest.mark.parametrize(
    ("fault", "word"), [(vendor_faults.job_ends("Failed"), "Failed"), (vendor_faults.job_hangs(), "Running")]
)
def test_a_job_ends_otherwise_or_never(client: VendorClient, fault: Fault, word: str) -> None:
    client.inflict(fault)
    guid = client.trigger()
    assert client.status(guid).json() == {"JobStatus": "Initializing"}
    client.clock.advance(days=3)
    client.log_in()
    assert client.status(guid).json() == {"JobStatus": word}


def test_unknown_statuses(client: VendorClient) -> None:
    client.inflict(vendor_faults.unknown_statuses(("Queued", None)))
    guid = client.complete_job()
    assert [client.status(guid).json()["JobStatus"] for _ in range(3)] == ["Queued", None, "Complete"]


@pytest.mark.parametrize("wording", Wording)
def test_a_refusal_in_any_words(client: VendorClient, wording: Wording) -> None:
    client.inflict(vendor_faults.triggered_elsewhere(), vendor_faults.refused_in(wording))
    client.log_in()
    now = client.clock()
    refused = client.export()
    assert refused.status_code == 400
    apart = client.simulator.vendor.timing.between_triggers
    assert refused.json() == {"Message": wording.sentence(now, now + apart, now)}


@pytest.mark.parametrize(("more", "status"), [([], 400), ([vendor_faults.refused_with(500)], 500)])
def test_another_client_triggered(client: VendorClient, more: list[Fault], status: int) -> None:
    client.inflict(vendor_faults.triggered_elsewhere(), *more)
    client.log_in()
    assert [client.export().status_code for _ in range(2)] == [status] * 2
    client.clock.advance(hours=1)
    client.log_in()
    assert client.export().status_code == 200


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_is_wrong_wherever_it_shows(client: VendorClient, hours: int) -> None:
    client.inflict(vendor_faults.triggered_elsewhere(), vendor_faults.clock_skewed(3600 * hours))
    client.log_in()
    refused = client.export()
    date = parsedate_to_datetime(refused.headers["Date"])
    assert (date - client.clock()).total_seconds() == pytest.approx(3600 * hours, abs=1)
    assert f"{12 + hours + 1}:00:01Z" in refused.json()["Message"]


def test_tokens_expire_in_mid_run(client: VendorClient) -> None:
    client.inflict(vendor_faults.tokens_expire(after=2))
    guid = client.complete_job()
    assert [client.status(guid).status_code for _ in range(4)] == [200, 200, 401, 401]
    client.log_in()
    assert client.status(guid).status_code == 200


def test_urls_expire_in_mid_copy(client: VendorClient) -> None:
    client.inflict(vendor_faults.urls_expire(after=2))
    guid = client.complete_job()
    url = client.files(guid)[NAME]["presignedDownloadURL"]
    assert [client.get(url).status_code for _ in range(4)] == [200, 200, 403, 403]
    assert client.get(client.files(guid)[NAME]["presignedDownloadURL"]).status_code == 200


def test_a_secret_is_rotated(client: VendorClient) -> None:
    guid = client.complete_job()
    client.inflict(vendor_faults.secret_rotated())
    assert client.ask_token().status_code == client.list(guid).status_code == 401
    assert client.status(guid).status_code == 200
    client.secret = client.simulator.vendor.credentials.next_secret
    assert client.ask_token().status_code == client.list(guid).status_code == 200


@pytest.mark.parametrize(("fault", "more"), [(vendor_faults.listed_twice, 0), (vendor_faults.listed_with_two_sizes, 1)])
def test_a_file_is_listed_twice(client: VendorClient, fault: Callable[[], Fault], more: int) -> None:
    client.inflict(fault())
    entries = client.list(client.complete_job()).json()
    assert len(entries) == 21
    first, second = [entry for entry in entries if entry["key"].endswith(NAME)]
    assert second["key"] == first["key"]
    assert second["size"] == first["size"] + more


def test_hostile_keys_lead_to_a_file_that_is_there(client: VendorClient) -> None:
    client.inflict(vendor_faults.hostile_keys())
    entries = client.list(client.complete_job()).json()
    hostile = [entry for entry in entries if entry["key"] in vendor_faults.HOSTILE_KEYS]
    assert len(hostile) == len(vendor_faults.HOSTILE_KEYS)
    assert {client.get(entry["presignedDownloadURL"]).status_code for entry in hostile} == {200}


def test_a_file_is_shorter_than_promised(client: VendorClient) -> None:
    client.inflict(vendor_faults.file_shortened(times=1))
    entry = client.files(client.complete_job())[NAME]
    short, whole = (client.get(entry["presignedDownloadURL"]) for _ in range(2))
    assert len(short.content) == entry["size"] // 2
    assert len(whole.content) == entry["size"]
    assert whole.content.startswith(short.content)


def test_a_file_changes(client: VendorClient) -> None:
    client.inflict(vendor_faults.file_changed())
    url = client.url_of(NAME)
    first = client.get(url)
    etag = first.headers["ETag"]
    assert client.get(url, If_Match=etag).status_code == 412
    assert client.get(url, If_Range=etag, Range="bytes=9-").status_code == 200
    other = client.get(url)
    assert len(other.content) == len(first.content)
    assert other.headers["ETag"] == f'"{md5(other.content, usedforsecurity=False).hexdigest()}"' != etag


def test_a_file_is_empty_and_listed_so(client: VendorClient) -> None:
    client.inflict(vendor_faults.file_empty())
    entry = client.files(client.complete_job())[NAME]
    answer = client.get(entry["presignedDownloadURL"])
    assert (entry["size"], answer.status_code, answer.content) == (0, 200, b"")


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_fault_has_a_name_and_a_sentence(name: str) -> None:
    fault = CATALOGUE[name]
    assert fault.description[0].isupper() or fault.description[0].isdigit()
    assert "\n" not in fault.description
    assert fault.make() is not fault.make()


def test_transport_faults_exist_for_every_call() -> None:
    kinds = {name.removeprefix("token-") for name in CATALOGUE if name.startswith("token-")}
    assert len(kinds) > 10
    assert {f"{call}-{kind}" for call in Call for kind in kinds} <= set(CATALOGUE)
