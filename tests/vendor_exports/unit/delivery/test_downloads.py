"""Downloads from a real server with real faults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Fault, Target, answered
from cli.simulator import habit_faults, vendor_faults
from cli.simulator.exports import Exports, files_of
from cli.simulator.http_messages import Call, storage_error
from sluice.http.url_policy_http import LoopbackPolicy
from sluice.vendor_exports.delivery.downloads_http import HttpDownloads
from sluice.vendor_exports.delivery.transfers import (
    DownloadError,
    RangeRefusedError,
    ServerBusyError,
    TransientDownloadError,
    UrlExpiredError,
)
from tests.support.scripted_server import texts
from tests.vendor_exports.unit.simulator.vendor_client import NO_TLS, VendorClient, simulated

NAME = vendor_faults.A_FILE
EXPORTS = Exports(files=5)
BODY = files_of(EXPORTS)[NAME].read()


@dataclass
class VendorFile:
    """A complete job, the URL of one of its files, and the downloads."""

    client: VendorClient
    url: str
    downloads: HttpDownloads

    def fetch(self, offset: int = 0) -> bytes:
        with self.downloads.open(self.url, offset) as download:
            return b"".join(download.chunks)

    def fail(self, kind: type[DownloadError]) -> str:
        with pytest.raises(kind) as error:
            self.fetch()
        assert type(error.value) is kind
        said = " ".join(texts(error.value))
        path = self.url.partition("://")[2].partition("/")[2]
        assert [part for part in (*path.split("?"), "signature", "SIMSIGNATURE", "://") if part in said] == []
        return str(error.value)


@pytest.fixture
def file() -> Iterator[VendorFile]:
    with simulated(EXPORTS) as client, httpx.Client(timeout=30, trust_env=False, verify=NO_TLS) as http:
        yield VendorFile(client, client.url_of(NAME), HttpDownloads(http, LoopbackPolicy()))


def target(times: int | None = None) -> Target:
    return Target(Call.FILE, times=times)


def test_a_file(file: VendorFile) -> None:
    with file.downloads.open(file.url, 0) as download:
        md5 = files_of(EXPORTS)[NAME].md5
        assert (download.size, download.etag, download.md5) == (len(BODY), md5, md5)
        assert b"".join(download.chunks) == BODY
    (request,) = file.client.simulator.requests(Call.FILE)
    assert request.headers["Host"] == file.client.simulator.url.removeprefix("http://")
    assert "Range" not in request.headers


@pytest.mark.parametrize("offset", [1, len(BODY) // 2, len(BODY) - 1])
def test_the_rest_of_a_file(file: VendorFile, offset: int) -> None:
    with file.downloads.open(file.url, offset) as download:
        assert download.size == len(BODY)
        assert b"".join(download.chunks) == BODY[offset:]


@pytest.mark.parametrize(
    ("kind", "said", "statuses"),
    [
        (UrlExpiredError, "its URL is not accepted ({}), a new one neither", [400, 401, 403]),
        (ServerBusyError, "the server answered {}, again and again", [408, 421, 425, 429, 500, 502, 503, 504, 529]),
        (DownloadError, "the server answered {}", [404, 409, 410, 412, 416, 501]),
    ],
)
def test_statuses(file: VendorFile, kind: type[DownloadError], said: str, statuses: list[int]) -> None:
    for status in statuses:
        file.client.inflict(transport_faults.http_error(target(), status))
        assert file.fail(kind) == said.format(status)


@pytest.mark.parametrize(
    ("fault", "kind", "happened"),
    [
        (transport_faults.reset, ServerBusyError, "the request ended with"),
        (transport_faults.answer_lost, ServerBusyError, "the request ended with"),
        (transport_faults.stalled, ServerBusyError, "the request ended with ReadTimeout"),
        (transport_faults.truncated, TransientDownloadError, "the body broke off with RemoteProtocolError"),
    ],
    ids=["reset", "answer lost", "stalled", "truncated"],
)
def test_transport_faults_are_transient(
    file: VendorFile, fault: Callable[[Target], Fault], kind: type[DownloadError], happened: str
) -> None:
    file.client.inflict(fault(target(times=1)))
    patient, file.downloads.client.timeout = file.downloads.client.timeout, httpx.Timeout(0.2, connect=30)
    assert happened in file.fail(kind)
    file.downloads.client.timeout = patient
    assert file.fetch() == BODY


def test_what_is_not_read_is_not_sent(file: VendorFile) -> None:
    file.client.inflict(transport_faults.huge(target()))
    with file.downloads.open(file.url, 0) as download:
        assert download.size is None
        assert next(download.chunks)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (habit_faults.slow_down(None), ServerBusyError, "the server answered 503 SlowDown, again and again"),
        (vendor_faults.urls_expire(after=0), UrlExpiredError, "its URL is not accepted (403 AccessDenied)"),
    ],
    ids=["SlowDown", "AccessDenied"],
)
def test_the_storages_own_word_is_told(file: VendorFile, fault: Fault, kind: type[DownloadError], said: str) -> None:
    file.client.inflict(fault)
    assert said in file.fail(kind)


@pytest.mark.parametrize("word", ["SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "ServerBusy"])
def test_a_storage_that_says_it_is_busy_is_waited_for_whatever_the_status(file: VendorFile, word: str) -> None:
    """S3's RequestTimeout comes with 400, which else means that a URL has expired."""
    file.client.inflict(answered(target(), lambda _: storage_error(400, word)))
    assert file.fail(ServerBusyError) == f"the server answered 400 {word}, again and again"


@pytest.mark.parametrize(("asked", "seconds"), [({"Retry-After": "90"}, 90), ({}, None)])
def test_a_busy_storage_says_for_how_long(file: VendorFile, asked: dict[str, str], seconds: float | None) -> None:
    file.client.inflict(habit_faults.slow_down(None, **asked))
    with pytest.raises(ServerBusyError) as error:
        file.fetch()
    assert error.value.retry_after == seconds


RANGES = (
    habit_faults.range_refused,
    habit_faults.range_ignored,
    habit_faults.range_unnamed,
    habit_faults.range_elsewhere,
)


@pytest.mark.parametrize("fault", RANGES)
def test_servers_that_do_not_send_the_rest_of_a_file(file: VendorFile, fault: Callable[[], Fault]) -> None:
    file.client.inflict(fault())
    with pytest.raises(RangeRefusedError):
        file.fetch(5)
    assert file.fetch() == BODY


def test_an_empty_file_without_content(file: VendorFile) -> None:
    file.client.inflict(habit_faults.empty_with_204())
    with file.downloads.open(file.url, 0) as download:
        assert (download.size, b"".join(download.chunks)) == (0, b"")
