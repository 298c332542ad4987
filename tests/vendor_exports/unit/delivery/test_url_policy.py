"""URLs that may be fetched: HTTPS to public IP addresses of known hosts, and nothing else."""

import socket
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.vendor_exports.delivery.downloads_http import HttpDownloads, LoopbackPolicy, UrlPolicy, resolve
from sluice.vendor_exports.delivery.transfers import DownloadError, RangeRefusedError, ServerBusyError, UrlRefusedError

HOST, PUBLIC = "files.vendor.test", "93.184.216.34"
HOSTS = frozenset({HOST, "other.test"})

PRIVATE = f"""
127.0.0.1 127.9.9.9 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 169.254.170.2 100.64.0.1
192.0.2.1 198.18.0.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 fec0::1 ff02::1 2001:db8::1 100::1 4000::1
::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:{PUBLIC} ::10.0.0.1
64:ff9b::10.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::10.0.0.1
2002:0a00:0001::1 2002:a9fe:a9fe::1 2001:0:5ef5:79fb:0:0:f5ff:fffe
""".split()


def policy(*addresses: str) -> UrlPolicy:
    return UrlPolicy(HOSTS, lambda _: list(addresses or (PUBLIC,)))


def refused(url: str, *addresses: str) -> str:
    with pytest.raises(UrlRefusedError) as error:
        policy(*addresses).target(url)
    assert error.value.__context__ is None
    return str(error.value)


def test_an_allowed_url() -> None:
    target = policy().target(f"https://{HOST}/a%20b/c?X-Amz-Signature=1%2F2&x=y#z")
    assert str(target.url) == f"https://{PUBLIC}/a%20b/c?X-Amz-Signature=1%2F2&x=y#z"
    assert target.host == HOST
    assert policy().target(f"https://{HOST}:443/a").url.port is None
    assert policy().target(f"HTTPS://{HOST.upper()}/a").host == HOST


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "2001:4860:4860::8888", "2600:9000::1"])
def test_public_addresses(address: str) -> None:
    target = policy(address).target(f"https://{HOST}/a")
    assert target.url.host == address
    assert target.url.scheme == "https"


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        assert (
            refused(f"https://{HOST}/a?sig=SIGNATURE", *addresses)
            == f"host {HOST} has an IP address that is not public"
        )


@given(st.ip_addresses(network="64:ff9b::/96") | st.ip_addresses(network="2002::/16"))
def test_tunnels_are_refused(address: object) -> None:
    refused(f"https://{HOST}/", str(address))


def test_a_host_without_addresses() -> None:
    with pytest.raises(UrlRefusedError):
        UrlPolicy(HOSTS, lambda _: []).target(f"https://{HOST}/")


NOT_PLAIN = f"""
http://{HOST}/ ftp://{HOST}/ https://{HOST}:8443/ https://{HOST}:80/ https://user@{HOST}/ https://user:SECRET@{HOST}/
https://:@{HOST}@{HOST}/
""".split()


@pytest.mark.parametrize("address", NOT_PLAIN)
def test_urls_that_are_not_plain_https(address: str) -> None:
    text = refused(address)
    assert "plain HTTPS" in text or "is not valid" in text or "not among" in text
    assert "SECRET" not in text


OTHERS = f"""
evil.{HOST} evil{HOST} {HOST}.evil.test {HOST}. vendor.test evil.test 169.254.169.254 [::1] 2130706433 localhost
{HOST}%2eevil.test f\u0131les.vendor.test
""".split()


@pytest.mark.parametrize("host", OTHERS)
def test_other_hosts(host: str) -> None:
    text = refused(f"https://{host}/?sig=SIGNATURE")
    assert "SIGNATURE" not in text


BROKEN = ["https://[::1/SIGNATURE", f"https://{HOST}:SIGNATURE/", "https://a\x00SIGNATURE/"]


@pytest.mark.parametrize(
    "address", ["", "https://", "/etc/passwd", "file:///etc/passwd", "https:///x", "data:,x", "x", *BROKEN]
)
def test_urls_without_a_host_or_that_are_not_valid(address: str) -> None:
    reason = refused(address)
    assert reason == "its URL is not valid" or (reason == "its URL has no host" and address not in BROKEN)


@given(st.text() | st.text().map(lambda text: f"https://{HOST}{text}"))
def test_any_url(address: str) -> None:
    try:
        target = policy().target(address)
    except UrlRefusedError:
        return
    assert (target.url.scheme, target.url.host, target.url.port, target.host in HOSTS) == ("https", PUBLIC, None, True)


def test_a_name_that_cannot_be_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ServerBusyError, match=f"the name of host {HOST} cannot be resolved"):
        UrlPolicy(HOSTS).target(f"https://{HOST}/?SIGNATURE")


def test_all_addresses_of_a_name_are_found() -> None:
    assert set(resolve("localhost")) <= {"127.0.0.1", "::1"}


# What is requested


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


# The local stage


@pytest.mark.parametrize("host", ["localhost:1234", "127.0.0.1:1234", "LOCALHOST", "127.0.0.1"])
def test_the_local_stage_fetches_from_this_machine(host: str) -> None:
    target = LoopbackPolicy().target(f"http://{host}/a?b=c")
    assert (str(target.url), target.host) == (f"http://{host.lower()}/a?b=c", host.lower())


ELSEWHERE = f"""
http://169.254.169.254/ http://10.0.0.1/ https://{HOST}/ http://localhost.evil.test/ http://user@localhost/
file://localhost/etc/passwd http://0.0.0.0/ http://[::1]/ http://2130706433/
""".split()


@pytest.mark.parametrize("address", [*ELSEWHERE, ""])
def test_the_local_stage_fetches_from_nowhere_else(address: str) -> None:
    with pytest.raises(UrlRefusedError):
        LoopbackPolicy().target(address)


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
