"""The four calls of the simulated API."""

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import httpx
import pytest

from cli.simulator.exports import Exports
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing, Wording
from tests.vendor_exports.unit.simulator.vendor_client import VendorClient, simulated


def test_the_four_calls_lead_to_files(client: VendorClient) -> None:
    answer = client.ask_token().json()
    assert answer["access_token"].startswith("SIMTOKEN-")
    assert answer["expires_in"] == 3600
    client.token = answer["access_token"]
    guid = client.export().json()["JobGuid"]
    assert client.status(guid).json() == {"JobStatus": "Initializing"}
    client.clock.advance(minutes=2)
    assert client.status(guid).json() == {"JobStatus": "Running"}
    assert client.list(guid).json() == []
    client.clock.advance(minutes=20)
    assert client.status(guid).json() == {"JobStatus": "Complete"}
    entries = client.list(guid).json()
    assert len(entries) == 20
    for entry in entries:
        assert set(entry) == {"key", "presignedDownloadURL", "size"}
        assert entry["key"].startswith(f"ACME/{guid}/")
        assert len(client.get(entry["presignedDownloadURL"]).content) == entry["size"]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"client_secret": "guessed"}, 401),
        ({"client_secret": "SIMSECRET-second-b7e203"}, 401),
        ({"grant_type": "password"}, 400),
    ],
)
def test_a_token_takes_valid_credentials(client: VendorClient, form: dict[str, str], status: int) -> None:
    assert client.ask_token(**form).status_code == status


def test_a_token_expires(client: VendorClient) -> None:
    client.log_in()
    client.clock.advance(minutes=59)
    guid = client.export().json()["JobGuid"]
    assert client.status(guid).status_code == 200
    client.clock.advance(minutes=1)
    assert client.status(guid).status_code == 401
    client.log_in()
    assert client.status(guid).status_code == 200


@pytest.mark.parametrize("token", ["none", "SIMTOKEN-forged"])
def test_only_a_token_opens_the_jobs(client: VendorClient, token: str) -> None:
    client.token = token
    assert client.export().status_code == client.status("any").status_code == 401


def test_a_job_is_accepted_once_per_hour(client: VendorClient) -> None:
    client.log_in()
    assert client.export().status_code == 200
    client.clock.advance(minutes=10)
    refused = client.export()
    assert refused.status_code == 400
    assert refused.json()["Message"].endswith("allowed at 2026-03-01T13:00:01Z.")
    client.clock.advance(minutes=50)
    client.log_in()
    assert client.export().status_code == 200


def test_of_many_triggers_at_once_one_is_accepted(client: VendorClient) -> None:
    client.log_in()
    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(lambda _: client.export().status_code, range(40)))
    assert statuses == [200, *[400] * 39]


def test_unknown_configurations_and_jobs_are_refused(client: VendorClient) -> None:
    client.log_in()
    assert client.export("onDemandExtract").status_code == 400
    assert client.status("no-such-job").status_code == 404
    assert client.list("no-such-job").status_code == 404


def test_the_list_wants_the_secret_and_the_environment(client: VendorClient) -> None:
    guid = client.complete_job()
    assert client.list(guid, apiToken="guessed").status_code == 401
    assert client.list(guid, environmentType="Prod").status_code == 400
    assert client.list(guid, expirationInMinutes="soon").status_code == 400
    assert client.list(guid, environmentType="Test").status_code == 200


def test_the_list_can_be_narrowed(client: VendorClient) -> None:
    guid = client.complete_job()
    plain = client.list(guid, hideMetaData="True").json()
    assert len(plain) == 17
    filtered = client.list(guid, fileFilter="Voyage_*").json()
    assert [entry["key"].rpartition("/")[2] for entry in filtered] == ["Voyage_0.json.gz", "Voyage_12.json.gz"]


@pytest.mark.parametrize("path", ["/", "/v1/datalake/presignedUrls/", "/files/x", "/api/datalake/v1/export"])
def test_other_paths_are_not_found(client: VendorClient, path: str) -> None:
    assert client.http.get(path).status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"configName": 7}'])
def test_any_body_gets_an_answer(client: VendorClient, body: bytes) -> None:
    client.log_in()
    headers = {"Authorization": f"Bearer {client.token}"}
    assert client.http.post("/api/datalake/v1/export", content=body, headers=headers).status_code == 400


def test_a_body_too_large_is_refused(client: VendorClient) -> None:
    connection = HTTPConnection(client.http.base_url.host, client.http.base_url.port)
    with closing(connection):
        connection.putrequest("POST", "/connect/token")
        connection.putheader("Content-Length", "1000001")
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_the_journal_knows_what_was_asked(client: VendorClient) -> None:
    guid = client.complete_job()
    client.list(guid)
    client.status("no-such-job")
    journal = client.simulator.journal
    assert [request.call for request in journal] == [Call.TOKEN, Call.EXPORT, Call.LIST, Call.STATUS]
    assert client.secret not in repr(journal)
    (asked,) = client.simulator.requests(Call.LIST)
    assert asked.query["apiToken"] == client.secret
    assert client.simulator.requests(Call.TOKEN)[0].form["client_secret"] == client.secret
    assert client.simulator.requests(Call.EXPORT)[0].document == {"configName": "onDemandExtract1DayTest"}


def test_a_job_can_be_complete_at_once() -> None:
    with simulated(Exports(files=4), timing=Timing(compression=math.inf)) as client:
        guid = client.trigger()
        assert client.status(guid).json() == {"JobStatus": "Complete"}
        assert client.export().status_code == 200


def test_connections_are_kept_until_the_end(client: VendorClient) -> None:
    def port() -> int:
        stream = client.ask_token().extensions["network_stream"]
        return int(stream.get_extra_info("client_addr")[1])

    assert port() == port()
    client.simulator.stop()
    with pytest.raises(httpx.TransportError):
        client.log_in()


# Durations of jobs, and the sentences that refuse a trigger

LAST = datetime(2026, 3, 1, 12, 34, 56, 1, tzinfo=UTC)


def test_the_next_time_is_rounded_up() -> None:
    after = LAST + timedelta(hours=1)
    assert "2026-03-01T13:34:57Z" in Wording.ISO.sentence(LAST, after, LAST)
    assert "2026-03-01 13:35 UTC" in Wording.MINUTES.sentence(LAST, after, LAST)
    assert "13:34:56Z" in Wording.ISO.sentence(LAST, after.replace(microsecond=0), LAST)


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "Initializing"), (90, "Running"), (1289, "Running"), (1290, "Complete")]
)
def test_the_status_follows_from_the_age(seconds: int, status: str) -> None:
    assert Timing().job_status(timedelta(seconds=seconds)) == status
    assert Timing(compression=10).job_status(timedelta(seconds=seconds / 10)) == status
    assert Timing(compression=10).between_triggers == timedelta(minutes=6)
