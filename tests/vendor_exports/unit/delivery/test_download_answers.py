"""What is requested of a file server, and what is read of its answers, whatever they hold."""

from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.http.url_policy_http import LoopbackPolicy, UrlPolicy
from sluice.vendor_exports.delivery.downloads_http import HttpDownloads
from sluice.vendor_exports.delivery.transfers import DownloadError, RangeRefusedError, ServerBusyError

HOST, PUBLIC = "files.vendor.test", "93.184.216.34"
HOSTS = frozenset({HOST})


def policy() -> UrlPolicy:
    return UrlPolicy(HOSTS, lambda _: [PUBLIC])


class Wire:
    """Notes requests, and answers."""

    def __init__(
        self, answer: Callable[[], httpx.Response] = lambda: httpx.Response(200, content=iter([b"abc"]))
    ) -> None:
        self.requests: list[httpx.Request] = []
        self.answer = answer

    def downloads(self, policy: UrlPolicy | LoopbackPolicy) -> HttpDownloads:
        return HttpDownloads(httpx.Client(transport=httpx.MockTransport(self), trust_env=False), policy)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer()


def test_the_ip_address_that_was_checked_is_the_one_that_is_asked() -> None:
    """A second lookup of the name, with another answer, makes no difference."""
    asked: list[str] = []

    def rebinding(host: str) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["169.254.169.254"]

    wire = Wire()
    with wire.downloads(UrlPolicy(HOSTS, rebinding)).open(f"https://{HOST}/a?b=c", 0) as download:
        assert b"".join(download.chunks) == b"abc"
    (request,) = wire.requests
    assert asked == [HOST]
    assert str(request.url) == f"https://{PUBLIC}/a?b=c"
    assert request.headers["host"] == HOST
    assert request.extensions["sni_hostname"] == HOST, "the certificate must be the name's"
    assert request.headers["accept-encoding"] == "identity"
    assert "range" not in request.headers


def test_a_url_that_must_not_be_fetched_or_whose_name_is_not_resolved_has_its_reason() -> None:
    def fail(_host: str) -> list[str]:
        raise OSError

    for url, kind, says in (
        ("https://other.test/a?SIGNATURE", DownloadError, "not among download_hosts"),
        (f"https://{HOST}/a?SIGNATURE", ServerBusyError, "cannot be resolved"),
    ):
        with pytest.raises(kind, match=says) as error, Wire().downloads(UrlPolicy(HOSTS, fail)).open(url, 0):
            pass
        assert "SIGNATURE" not in str(error.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_refused(status: int) -> None:
    wire = Wire(lambda: httpx.Response(status, headers={"location": "http://169.254.169.254/SIGNATURE"}))
    with (
        pytest.raises(DownloadError, match=f"the server answered {status}: redirects are not followed"),
        wire.downloads(policy()).open(f"https://{HOST}/a", 0),
    ):
        pass
    assert len(wire.requests) == 1


# Answers, of S3 and of others


def opened(status: int, headers: dict[str, str], offset: int = 0) -> tuple[object, ...]:
    wire = Wire(lambda: httpx.Response(status, content=b"abc", headers=headers))
    with wire.downloads(policy()).open(f"https://{HOST}/a", offset) as download:
        return download.size, download.etag, download.md5


MD5 = "900150983cd24fb0d6963f7d28e17f72"


@pytest.mark.parametrize(
    ("headers", "etag", "md5"),
    [
        ({}, "", ""),
        ({"etag": f'"{MD5}"'}, MD5, MD5),
        ({"etag": MD5}, MD5, MD5),
        ({"etag": f'"{MD5}"', "x-amz-server-side-encryption": "AES256"}, MD5, MD5),
        ({"etag": f'"{MD5}"', "x-amz-server-side-encryption": "aws:kms"}, MD5, ""),
        ({"etag": f'"{MD5}"', "x-amz-server-side-encryption": "aws:kms:dsse"}, MD5, ""),
        ({"etag": f'"{MD5}"', "x-amz-server-side-encryption-customer-algorithm": "AES256"}, MD5, ""),
        ({"etag": f'"{MD5}-3"'}, f"{MD5}-3", ""),
        ({"etag": f'"{MD5.upper()}"'}, MD5.upper(), ""),
        ({"etag": '"abc"'}, "abc", ""),
        ({"etag": f'W/"{MD5}"'}, "", ""),
        ({"etag": f'w/"{MD5}"'}, "", ""),
        ({"etag": '"' + "x" * 201 + '"'}, "", ""),
        ({"etag": '""'}, "", ""),
    ],
)
def test_etags(headers: dict[str, str], etag: str, md5: str) -> None:
    assert opened(200, headers) == (3, etag, md5)


@pytest.mark.parametrize(
    ("content_range", "size"),
    [
        ("bytes 5-7/8", 8),
        ("bytes 5-7/*", None),
        ("Bytes  5-7/8 ", 8),
        ("bytes=5-7/8", 8),
        ("bytes 5-12345678901/*", None),
    ],
)
def test_the_rest_of_a_file(content_range: str, size: int | None) -> None:
    assert opened(206, {"content-range": content_range}, offset=5)[0] == size


OTHER_RANGES = ["", "bytes */8", "bytes -7/8", "items 5-7/8", "bytes 0-7/8", "bytes 6-7/8", "bytes 5-6/8", "5-7/8"]


@pytest.mark.parametrize("content_range", OTHER_RANGES)
def test_another_part_than_the_rest(content_range: str) -> None:
    with pytest.raises(RangeRefusedError, match="the server answered 206 and does not send the file from byte 5 on"):
        opened(206, {"content-range": content_range}, offset=5)


@pytest.mark.parametrize("content_range", ["", "bytes 5-7/8", "bytes 0-6/8"])
def test_a_part_instead_of_the_file(content_range: str) -> None:
    assert opened(206, {"content-range": "bytes 0-7/8"})[0] == 8
    with pytest.raises(DownloadError, match="the server answered with a part of the file, though asked for all of it"):
        opened(206, {"content-range": content_range})


DIGITS = "9" * 5000
NAMES = st.sampled_from(["content-length", "content-range", "etag", "retry-after", "date", "content-type", "location"])
VALUES = st.sampled_from([DIGITS, f"bytes 0-{DIGITS}/{DIGITS}", f"bytes */{DIGITS}", "bytes 5-9/10", "٣"]) | st.text()


@given(st.sampled_from([200, 206, 302, 416, 500]), st.dictionaries(NAMES, VALUES), st.sampled_from([0, 5]))
@example(200, {"content-length": DIGITS}, 0)
def test_any_headers(status: int, headers: dict[str, str], offset: int) -> None:
    """Whatever they say, a batch has its result: a file comes, or has a reason."""
    sent = {name: value.encode() for name, value in headers.items()}
    with suppress(DownloadError):
        opened(status, sent, offset)  # type: ignore[arg-type]
