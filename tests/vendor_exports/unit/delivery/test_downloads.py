"""Downloads from a real server with real faults."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from cli.simulator import transport_faults, vendor_faults
from cli.simulator.content import StoredContent
from cli.simulator.exports import Exports, files_of
from cli.simulator.http_messages import Call
from cli.simulator.vendor import Fault, Target
from sluice.vendor_exports.delivery.downloads_http import HttpDownloads, LoopbackPolicy
from sluice.vendor_exports.delivery.transfers import DownloadError, TransientDownloadError, UrlExpiredError
from tests.vendor_exports.unit.delivery.errors import assert_no_address
from tests.vendor_exports.unit.simulator.vendor_client import VendorClient, simulated

NAME = vendor_faults.A_FILE
EXPORTS = Exports(files=5)


def _body() -> bytes:
    content = files_of(EXPORTS)[NAME].content
    assert isinstance(content, StoredContent)
    return content.body


BODY = _body()
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading certificates takes longer than most tests


@dataclass
class Scene:
    """A complete job, the address of one of its files, and what fetches it."""

    client: VendorClient
    url: str
    downloads: HttpDownloads

    def inflict(self, *faults: Fault) -> None:
        self.client.simulator.vendor.faults = faults

    def fetch(self, offset: int = 0, url: str = "") -> bytes:
        with self.downloads.open(url or self.url, offset) as download:
            return b"".join(download.chunks)

    def fail(self, kind: type[DownloadError], url: str = "") -> str:
        with pytest.raises(kind) as error:
            self.fetch(url=url)
        assert type(error.value) is kind
        assert_no_address(error.value, self.url)
        return str(error.value)


@pytest.fixture
def scene() -> Iterator[Scene]:
    timeout = httpx.Timeout(0.2, connect=5)
    with (
        simulated(EXPORTS) as client,
        httpx.Client(timeout=timeout, trust_env=False, verify=_NO_TLS) as http,
    ):
        url = client.files(client.complete_job())[NAME]["presignedDownloadURL"]
        yield Scene(client, url, HttpDownloads(http, LoopbackPolicy()))


def target(times: int | None = None) -> Target:
    return Target(Call.FILE, times=times)


def test_a_file(scene: Scene) -> None:
    with scene.downloads.open(scene.url, 0) as download:
        md5 = files_of(EXPORTS)[NAME].content.md5
        assert (download.offset, download.length, download.etag, download.md5) == (0, len(BODY), md5, md5)
        assert b"".join(download.chunks) == BODY
    (request,) = scene.client.simulator.requests(Call.FILE)
    assert request.headers["Host"] == scene.client.simulator.url.removeprefix("http://")
    assert "Range" not in request.headers


@pytest.mark.parametrize("offset", [1, len(BODY) // 2, len(BODY) - 1])
def test_the_rest_of_a_file(scene: Scene, offset: int) -> None:
    with scene.downloads.open(scene.url, offset) as download:
        assert (download.offset, download.length) == (offset, len(BODY) - offset)
        assert b"".join(download.chunks) == BODY[offset:]


def test_nothing_lies_behind_the_end(scene: Scene) -> None:
    with pytest.raises(DownloadError, match="the server answered 416"):
        scene.fetch(len(BODY))


def test_an_empty_file(scene: Scene) -> None:
    scene.inflict(vendor_faults.file_empty())
    assert scene.fetch() == b""


def test_an_address_that_is_dead(scene: Scene) -> None:
    scene.inflict(vendor_faults.urls_expire(after=1))
    assert scene.fetch() == BODY
    assert "its address is not accepted (403)" in scene.fail(UrlExpiredError)


def test_an_address_that_outlived_its_hour(scene: Scene) -> None:
    scene.client.clock.advance(hours=1, seconds=1)
    scene.fail(UrlExpiredError)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_statuses_of_dead_addresses(scene: Scene, status: int) -> None:
    scene.inflict(transport_faults.http_error(target(), status))
    scene.fail(UrlExpiredError)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_statuses_that_may_pass(scene: Scene, status: int) -> None:
    scene.inflict(transport_faults.http_error(target(), status))
    assert f"the server answered {status}" in scene.fail(TransientDownloadError)


@pytest.mark.parametrize("status", [204, 404, 409, 410, 412, 501])
def test_statuses_that_stay(scene: Scene, status: int) -> None:
    scene.inflict(transport_faults.http_error(target(), status))
    assert scene.fail(DownloadError) == f"the server answered {status}"


def test_a_redirect(scene: Scene) -> None:
    scene.inflict(transport_faults.redirected(target()))
    assert scene.fail(DownloadError) == "the server answered 302: redirects are not followed"
    assert len(scene.client.simulator.journal) == 4, "token, trigger, list, and the file once"


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        (transport_faults.reset, "the request ended with"),
        (transport_faults.answer_lost, "the request ended with"),
        (transport_faults.stalled, "the request ended with ReadTimeout"),
        (transport_faults.truncated, "the body broke off with RemoteProtocolError"),
    ],
    ids=["reset", "answer lost", "stalled", "truncated"],
)
def test_trouble_on_the_wire_passes(scene: Scene, fault: Callable[[Target], Fault], happened: str) -> None:
    scene.inflict(fault(target(times=1)))
    assert happened in scene.fail(TransientDownloadError)
    assert scene.fetch() == BODY


def test_a_server_that_is_not_there(scene: Scene) -> None:
    scene.client.simulator.stop()
    assert scene.fail(TransientDownloadError) == "the request ended with ConnectError"


def test_what_is_not_read_is_not_sent(scene: Scene) -> None:
    scene.inflict(transport_faults.huge(target()))
    with scene.downloads.open(scene.url, 0) as download:
        assert download.length is None
        assert next(download.chunks)
