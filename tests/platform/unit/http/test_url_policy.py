"""URLs that may be fetched: HTTPS to public IP addresses of known hosts, and nothing else."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.http.answers import TransientError, UrlRefusedError
from sluice.http.url_policy_http import LoopbackPolicy, UrlPolicy, resolve

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
    with pytest.raises(TransientError, match=f"the name of host {HOST} cannot be resolved"):
        UrlPolicy(HOSTS).target(f"https://{HOST}/?SIGNATURE")


def test_all_addresses_of_a_name_are_found() -> None:
    assert set(resolve("localhost")) <= {"127.0.0.1", "::1"}


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
