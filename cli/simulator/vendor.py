"""The vendor: what it knows and how it answers, apart from HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from cli.simulator.access import Credentials, Signatures, Tokens
from cli.simulator.calls import CALLS
from cli.simulator.deliveries import Exports
from cli.simulator.exchange import DeniedError, Request, Response, message
from cli.simulator.faults.base import Fault
from cli.simulator.jobs import Jobs
from cli.simulator.timing import Timing, Wording

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class Vendor:
    """Answers requests; safe to use from many threads."""

    def __init__(
        self, exports: Exports, faults: Sequence[Fault], timing: Timing, credentials: Credentials, clock: Clock
    ) -> None:
        """Begin without jobs."""
        self.exports = exports
        self.faults = faults
        self.timing = timing
        self.credentials = credentials
        self.clock = clock
        self.jobs = Jobs()
        self.tokens = Tokens(credentials.token_marker)
        self.signatures = Signatures(credentials.signature_marker)

    def answer(self, request: Request) -> Response:
        """Answer a request, the way the faults would have it."""
        faults = tuple(self.faults)
        answers = [fault.before(self, request) for fault in faults]
        response = next((answer for answer in answers if answer is not None), None) or self._answer(request)
        for fault in faults:
            response = fault.after(request, response)
        return response

    @property
    def skew(self) -> timedelta:
        """By how much the vendor's clock is ahead."""
        return sum((fault.skew for fault in self.faults), timedelta())

    @property
    def wording(self) -> Wording:
        """The sentence that refuses triggers."""
        return next((fault.wording for fault in self.faults if fault.wording), Wording.ISO)

    def is_secret(self, text: str) -> bool:
        """Tell whether a text is a secret that is valid now."""
        valid = frozenset({self.credentials.client_secret})
        for fault in self.faults:
            valid = fault.secrets(valid, self.credentials.next_secret)
        return text in valid

    def _answer(self, request: Request) -> Response:
        if request.call is None:
            return message(404, "No such resource.")
        try:
            return CALLS[request.call](self, request)
        except DeniedError as denied:
            return denied.response
