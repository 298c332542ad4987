"""URLs that may be fetched: a policy decides."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

import httpx

from sluice.http.answers import TransientError, UrlRefusedError

_HTTPS = 443
_IPV6 = IPv6Network("2000::/3")  # global unicast


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

    The IP address that was checked is the one that is used, unless a proxy opens the connections: it is told the name.
    """

    hosts: frozenset[str]
    resolve: Resolve = resolve
    by_proxy: bool = False

    def target(self, url: str) -> Target:
        """Check a URL.

        Raises:
            UrlRefusedError: It must not be fetched; the message names the host only.
            TransientError: The host's name cannot be resolved at the moment.
        """
        parsed = _parsed(url)
        if parsed.scheme != "https" or parsed.port not in {None, _HTTPS} or parsed.userinfo:
            raise UrlRefusedError(f"its URL is not plain HTTPS (host {parsed.host})")
        if parsed.host.lower() not in self.hosts:
            raise UrlRefusedError(f"its URL has host {parsed.host}, which is not among download_hosts of the stage")
        if self.by_proxy:
            return Target(parsed, parsed.host)
        return Target(parsed.copy_with(host=self._public_address(parsed.host)), parsed.host)

    def _public_address(self, host: str) -> str:
        try:
            addresses = self.resolve(host)
        except OSError:
            raise TransientError(f"the name of host {host} cannot be resolved") from None
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
