"""Requests that are bounded, and sent again with jitter while trouble passes; errors hold no secret and no URL."""

import logging
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from sluice.http.answers import DENIALS, Answer, Pauses, TransientError, sent_at
from sluice.http.bounded_http import BoundedTransport, Budget, body_of
from sluice.http.retrying import passes, retry_after, retrying

ATTEMPTS = 5
MAX_ANSWER_BYTES = 1024 * 1024
"""Most bytes of an answer, unless its request allows for more."""

_CONNECT_SECONDS = 10.0
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)

# Their log records of requests would hold URLs with signatures.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class HostConnections(httpx.BaseTransport):
    """Keeps the connections of every host name apart, though names may share an IP address, which is what URLs hold.

    A TLS connection was opened for one name; a server refuses it to another one, with 421. `make` returns a transport.
    """

    make: Callable[[], httpx.BaseTransport]
    _by_host: dict[str, httpx.BaseTransport] = field(default_factory=dict)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request by a connection of its host."""
        host = request.extensions.get("sni_hostname") or request.url.host
        transport = self._by_host.get(host) or self._by_host.setdefault(host, self.make())
        return transport.handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for transport in self._by_host.values():
            transport.close()


def open_client(timeout_seconds: float, proxy: str = "") -> httpx.Client:
    """Return a client: TLS is verified, redirects are not followed, and nothing is taken from the environment.

    A request may take so many seconds in all, from connecting to its last byte, and more while bytes come.
    """
    certificates = httpx.create_ssl_context(trust_env=False)
    transport = HostConnections(lambda: BoundedTransport(certificates, proxy or None))
    timeout = httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS)
    return httpx.Client(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)


def never(_answer: Answer) -> bool:
    """Take every transient status as a failure."""
    return False


@dataclass(slots=True)
class Sender:
    """Sends requests, and again while trouble passes; `server` is what messages call the other side.

    `retries` counts the requests that were sent again.
    """

    http: httpx.Client
    pauses: Pauses
    server: str = "the server"
    retries: int = 0

    def send(
        self,
        request: httpx.Request,
        is_answer: Callable[[Answer], bool] = never,
        most_bytes: int = MAX_ANSWER_BYTES,
        check: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Return the answer; retry transient statuses, except for answers that `is_answer` accepts.

        `check` may raise TransientError for other answers.

        Raises:
            TransientError: All attempts were spent, or the server asks to wait for longer than a function should.
            AnswerRefusedError: The answer is larger than allowed, or in a coding that was not asked for.
        """
        attempts = retrying(Pauses(self.pauses.first_seconds, self._pause), TransientError, ATTEMPTS)
        try:
            answer: Answer = attempts(self._send_once, request, is_answer, most_bytes, check)
        except TransientError as error:
            if error.retry_after is None:
                error.args = (f"{error}, {ATTEMPTS} times",)
            raise
        return answer

    def _pause(self, seconds: float) -> None:
        self.retries += 1
        self.pauses.sleep(seconds)

    def _send_once(
        self,
        request: httpx.Request,
        is_answer: Callable[[Answer], bool],
        most_bytes: int,
        check: Callable[[Answer], None] | None,
    ) -> Answer:
        request.headers["Accept-Encoding"] = "identity"
        request.extensions["budget"] = Budget(self.http.timeout.read or float("inf"), 2 * most_bytes)
        try:
            with closing(self.http.send(request, stream=True)) as response:
                if response.status_code == httpx.codes.MISDIRECTED_REQUEST:  # not read, so not sent this way again
                    raise TransientError(f"{self.server} answered {response.status_code}")
                answer = _answer(response, body_of(response, most_bytes))
        except httpx.HTTPError as error:
            happened = type(error).__name__  # its text could hold the address
        else:
            asks_to_wait = answer.retry_after is not None and response.is_error and answer.status not in DENIALS
            if (passes(answer.status) or asks_to_wait) and not is_answer(answer):
                raise TransientError(f"{self.server} answered {answer.status}", answer.retry_after)
            if check:
                check(answer)
            return answer
        raise TransientError(f"the request ended with {happened}")


def _answer(response: httpx.Response, body: bytes) -> Answer:
    sent = sent_at(response.headers.get("date"))
    asked = retry_after(response.headers.get("retry-after", ""), sent or datetime.now(UTC))
    charset = _CHARSET.search(response.headers.get("content-type", ""))
    return Answer(response.status_code, body, sent, asked, charset[1] if charset else "")
