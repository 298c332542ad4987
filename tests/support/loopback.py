"""The network as tests may use it: this machine's own addresses, and nothing else."""

import ipaddress
import sys
from contextlib import suppress
from typing import Any

asked: list[str] = []
"""Addresses and names beyond this machine that were asked for, which was refused."""

_ADDRESS_AT = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
_NAMES = {"localhost", "", None}  # the last two: every address of this machine, to listen at


class CalledOutError(BaseException):
    """Something asked for an address beyond this machine; no handler of errors takes it for a failed call."""


def guard() -> None:
    """Refuse, from now on and in the whole process, to connect to other machines or to look up their names."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _ADDRESS_AT:
        return
    address = arguments[_ADDRESS_AT[event]]
    host = address[0] if isinstance(address, tuple) else address
    if event in {"socket.connect", "socket.sendto"} and not isinstance(address, tuple):
        return  # a socket of this machine's file system
    if not _is_here(host.decode() if isinstance(host, bytes) else host):
        asked.append(f"{event} {host}")
        raise CalledOutError(f"{event}: {host} is beyond this machine")


def _is_here(host: Any) -> bool:
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        return address.is_loopback or address.is_unspecified
    return host in _NAMES
