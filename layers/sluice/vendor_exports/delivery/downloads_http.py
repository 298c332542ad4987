"""Downloads from the vendor's presigned URLs, which are untrusted: a policy decides which may be fetched."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

import httpx

from sluice.vendor_exports.delivery.transfers import (
    Download,
    DownloadError,
    TransientDownloadError,
    UrlExpiredError,
    UrlRefusedError,
)

_HTTPS = 443
_IPV6 = IPv6Network("2000::/3")  # global unicast
_CHUNK_BYTES = 1024 * 1024
_LONGEST_ETAG = 200  # characters
_MD5 = re.compile("[0-9a-f]{32}")
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm"
_EXPIRED = frozenset({400, 401, 403})  # S3 answers 400 for an expired token, 403 for an expired URL
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})

Resolve = Callable[[str], list[str]]
"""Returns all IP addresses of a host, as text."""


@dataclass(frozen=True, slots=True)
class Target:
    """Target of a request: `url` with the checked IP address, `host` for the certificate and the Host header."""

    url: httpx.URL
    host: str


def resolve(host: str) -> list[str]:
    """Return the IP addresses of a host.

    Raises:
        OSError: The name cannot be resolved.
    """
    return [str(found[4][0]) for found in socket.getaddrinfo(host, _HTTPS, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """Allows HTTPS to public IP addresses of the listed hosts, complete names in lower case, and nothing else.

    The IP address that was checked is the one that is used.
    """

    hosts: frozenset[str]
    resolve: Resolve = resolve

    def target(self, url: str) -> Target:
        """Check a URL.

        Raises:
            UrlRefusedError: It must not be fetched; the message names the host only.
            TransientDownloadError: The host's name cannot be resolved at the moment.
        """
        parsed = _parsed(url)
        if parsed.scheme != "https" or parsed.port not in {None, _HTTPS} or parsed.userinfo:
            raise UrlRefusedError(f"its URL is not plain HTTPS (host {parsed.host})")
        if parsed.host.lower() not in self.hosts:
            raise UrlRefusedError(f"its URL has host {parsed.host}, which is not among download_hosts of the stage")
        return Target(parsed.copy_with(host=self._public_address(parsed.host)), parsed.host)

    def _public_address(self, host: str) -> str:
        try:
            addresses = self.resolve(host)
        except OSError:
            raise TransientDownloadError(f"the name of host {host} cannot be resolved") from None
        if not addresses or not all(_is_public(address) for address in addresses):
            raise UrlRefusedError(f"host {host} has an IP address that is not public")
        return addresses[0]


@dataclass(frozen=True, slots=True)
class LoopbackPolicy:
    """Allows HTTP and HTTPS to this machine, and nothing else: for the local stage."""

    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1"})

    def target(self, url: str) -> Target:
        """Check a URL; see `UrlPolicy.target`."""
        parsed = _parsed(url)
        if parsed.scheme not in {"http", "https"} or parsed.userinfo or parsed.host.lower() not in self.hosts:
            raise UrlRefusedError(f"its URL has host {parsed.host}; the local stage fetches from this machine only")
        return Target(parsed, parsed.netloc.decode("ascii"))


def _parsed(url: str) -> httpx.URL:
    parsed = None
    with suppress(httpx.InvalidURL, ValueError):  # the error's text could hold the URL
        parsed = httpx.URL(url)
    if parsed is None:
        raise UrlRefusedError("its URL is not valid")
    if not parsed.host:
        raise UrlRefusedError("its URL has no host")
    return parsed


def _is_public(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and (parsed not in _IPV6 or parsed.sixtofour or parsed.teredo):
        return False  # such an address may embed any IPv4 address
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


@dataclass(frozen=True, slots=True)
class HttpDownloads:
    """Opens files; `client` verifies TLS, follows no redirects, and takes no settings from its environment."""

    client: httpx.Client
    policy: UrlPolicy | LoopbackPolicy

    @contextmanager
    def open(self, url: str, offset: int) -> Iterator[Download]:
        """Open a file from a byte on; a server without ranges begins with the first byte.

        Raises:
            UrlRefusedError: The URL must not be fetched.
            UrlExpiredError: The URL has expired.
            TransientDownloadError: The same URL may work in a moment.
            DownloadError: The file cannot be fetched.
        """
        target = self.policy.target(url)
        headers = {"Host": target.host, "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        request = self.client.build_request(
            "GET", target.url, headers=headers, extensions={"sni_hostname": target.host.partition(":")[0]}
        )
        with closing(self._send(request)) as response:
            yield _download(response)

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self.client.send(request, stream=True)
        except httpx.HTTPError as error:
            happened = type(error).__name__  # its text could hold the address
        raise TransientDownloadError(f"the request ended with {happened}")


def _download(response: httpx.Response) -> Download:
    status = response.status_code
    if status in _EXPIRED:
        raise UrlExpiredError(f"its URL is not accepted ({status}), a new one neither")
    if status in _TRANSIENT:
        raise TransientDownloadError(f"the server answered {status}, again and again")
    if response.is_redirect:
        raise DownloadError(f"the server answered {status}: redirects are not followed")
    if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
        raise DownloadError(f"the server answered {status}")
    length, etag = response.headers.get("content-length", ""), _etag(response)
    return Download(
        offset=_offset(response) if status == httpx.codes.PARTIAL_CONTENT else 0,
        length=int(length) if length.isdecimal() else None,
        etag=etag,
        md5=etag if _is_md5(etag, response) else "",
        chunks=_chunks(response),
    )


def _etag(response: httpx.Response) -> str:
    """Read the ETag; a weak one, or one too long to be kept with a file, is none."""
    etag = response.headers.get("etag", "").strip('"')
    return "" if etag.startswith("W/") or len(etag) > _LONGEST_ETAG else etag


def _is_md5(etag: str, response: httpx.Response) -> bool:
    """Tell whether the ETag is the MD5 sum, as S3's of objects that were uploaded at once and without a key of KMS."""
    encryption = response.headers.get("x-amz-server-side-encryption", "")
    is_keyed = encryption.startswith("aws:kms") or _CUSTOMER_KEY in response.headers
    return not is_keyed and _MD5.fullmatch(etag) is not None


def _offset(response: httpx.Response) -> int:
    """Read where a partial answer begins: ``bytes 5-9/10``."""
    start = response.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    if not start.isdecimal():
        raise DownloadError("the server answered with a part and did not say which")
    return int(start)


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_raw(_CHUNK_BYTES)
    except httpx.HTTPError as error:
        happened = type(error).__name__
    else:
        return
    raise TransientDownloadError(f"the body broke off with {happened}")
