"""Bounds of every test: it ends, it can be interrupted, and it calls nothing beyond this machine.

That it ends is pytest-timeout's work, and its limit a setting of pytest's.
"""

import faulthandler
import ipaddress
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

asked: list[str] = []
"""Addresses and names beyond this machine that were asked for, which was refused."""

_EXIT_SECONDS = 120
_ADDRESS_AT = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
_NAMES = {"localhost", "", None}  # the last two: every address of this machine, to listen at


class CalledOutError(BaseException):
    """Something asked for an address beyond this machine; no handler of errors takes it for a failed call."""


def pytest_configure() -> None:
    """Set the bounds of this process, and of every one that it starts."""
    # Where a script starts the tests in the background they ignore interrupts, and so would their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    sys.addaudithook(_refuse)


def pytest_unconfigure() -> None:
    """End this process even where a thread that a test has left does not; xdist ends its own."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        faulthandler.dump_traceback_later(_EXIT_SECONDS, exit=True)


@pytest.fixture(autouse=True)
def _calls_nobody() -> Iterator[None]:
    """Fail a test in which something asked for an address beyond this machine, whatever became of the question."""
    asked.clear()
    yield
    assert not asked, "tests call nothing beyond this machine"


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
