"""Which addresses may be fetched from: the list is untrusted, and a function's network is not the world's."""

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

import httpx

from sluice.vendor_exports.delivery.ports import AddressRefusedError, TransientDownloadError

_HTTPS = 443
_IPV6 = IPv6Network("2000::/3")  # all that is in use for single hosts of the internet

Resolve = Callable[[str], list[str]]
"""All addresses of a host, as text."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: `url` names the checked address, `host` is what certificate and server are asked for."""

    url: httpx.URL
    host: str


def resolve(host: str) -> list[str]:
    """Ask the name servers.

    Raises:
        OSError: They know no such host.
    """
    return [str(found[4][0]) for found in socket.getaddrinfo(host, _HTTPS, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """HTTPS to public addresses of hosts that are on the list, and nothing else.

    Attributes:
        hosts: Names of hosts, in lower case, complete.
        resolve: Finds a host's addresses; the one that was checked is the one that is used.
    """

    hosts: frozenset[str]
    resolve: Resolve = resolve

    def target(self, address: str) -> Target:
        """Check an address.

        Raises:
            AddressRefusedError: It leads where we do not go; the message names the host only.
            TransientDownloadError: The host's name cannot be resolved at the moment.
        """
        url = _parsed(address)
        if url.scheme != "https" or url.port not in {None, _HTTPS} or url.userinfo:
            raise AddressRefusedError(f"its address is no plain https one (host {url.host})")
        if url.host.lower() not in self.hosts:
            raise AddressRefusedError(
                f"its address leads to {url.host}, which is not among the hosts of the stage (download_hosts)"
            )
        return Target(url.copy_with(host=self._public_address(url.host)), url.host)

    def _public_address(self, host: str) -> str:
        try:
            addresses = self.resolve(host)
        except OSError:
            raise TransientDownloadError(f"the name of host {host} cannot be resolved") from None
        if not addresses or not all(_is_public(address) for address in addresses):
            raise AddressRefusedError(f"host {host} has a private address")
        return addresses[0]


@dataclass(frozen=True, slots=True)
class LoopbackPolicy:
    """For the local stage: plain HTTP too, to this machine and nowhere else."""

    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1"})

    def target(self, address: str) -> Target:
        """Check an address; see `AddressPolicy.target`."""
        url = _parsed(address)
        if url.scheme not in {"http", "https"} or url.userinfo or url.host.lower() not in self.hosts:
            raise AddressRefusedError(
                f"its address leads to {url.host}; the local stage fetches from this machine only"
            )
        return Target(url, url.netloc.decode("ascii"))


def _parsed(address: str) -> httpx.URL:
    url = None
    with suppress(httpx.InvalidURL, ValueError):  # its text could hold the address
        url = httpx.URL(address)
    if url is None:
        raise AddressRefusedError("its address is none")
    if not url.host:
        raise AddressRefusedError("its address names no host")
    return url


def _is_public(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and (parsed not in _IPV6 or parsed.sixtofour or parsed.teredo):
        return False  # what leads to an IPv4 address in disguise leads to any
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved
