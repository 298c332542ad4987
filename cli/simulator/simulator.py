"""The simulator: a vendor behind an HTTP server, and a journal of what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from cli.simulator.access import Credentials
from cli.simulator.deliveries import Exports
from cli.simulator.exchange import Call, Request, Response
from cli.simulator.faults.base import Fault
from cli.simulator.server import Server
from cli.simulator.timing import Timing
from cli.simulator.vendor import Clock, Vendor, utc_now

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Seen:
    """A request the simulator answered, with everything secret in it."""

    at: datetime
    request: Request
    status: int


class Simulator:
    """The vendor's API on the loopback interface; a context manager that starts and stops it.

    Attributes:
        vendor: What it knows; `vendor.faults` and `vendor.exports` can be replaced at any time.
        journal: Every request so far.
    """

    def __init__(
        self,
        exports: Exports | None = None,
        faults: Sequence[Fault] = (),
        timing: Timing | None = None,
        credentials: Credentials | None = None,
        *,
        port: int = 0,
        clock: Clock = utc_now,
    ) -> None:
        """Bind the port, or a free one when it is 0.

        Raises:
            OSError: The port is taken.
        """
        self.vendor = Vendor(exports or Exports(), faults, timing or Timing(), credentials or Credentials(), clock)
        self.journal: list[Seen] = []
        self._server = Server(port, self._answer, self._date)

    @property
    def url(self) -> str:
        """Base URL of all calls."""
        return self._server.url

    def start(self) -> None:
        """Answer requests from now on, in the background."""
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(_POLL_SECONDS,), name="vendor-simulator", daemon=True).start()

    def stop(self) -> None:
        """End, with all connections."""
        self._server.stop()

    def requests(self, call: Call) -> list[Request]:
        """The requests of one kind so far."""
        return [seen.request for seen in tuple(self.journal) if seen.request.call is call]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _date(self) -> float:
        return (self.vendor.clock() + self.vendor.skew).timestamp()

    def _answer(self, request: Request) -> Response:
        response = self.vendor.answer(request)
        self.journal.append(Seen(self.vendor.clock(), request, response.status))
        return response
