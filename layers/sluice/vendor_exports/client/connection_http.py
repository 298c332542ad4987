"""Requests to the vendor, bounded and retried with jitter, and their access tokens; errors hold no secret."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sluice.vendor_exports.client.api import (
    Answer,
    AnswerNotUnderstoodError,
    CredentialsRefusedError,
    Pauses,
    VendorUnavailableError,
    sent_at,
)

ATTEMPTS = 5
MAX_ANSWER_BYTES = 32 * 1024 * 1024
_LONGEST_PAUSE = 30.0  # seconds; a vendor that asks for more is asked again by the machine, which waits for less money
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_MARGIN = timedelta(minutes=5)  # a token this close to its end is not used for a new request
_REFUSALS = frozenset({400, 401, 403})  # OAuth answers 400 or 401 to wrong credentials
_DEFAULT_SECONDS = 600
_LONGEST_SECONDS = 24 * 60 * 60


def never(_answer: Answer) -> bool:
    """Take every transient status as a failure."""
    return False


class _TransientError(Exception):
    """A retry may help, after so many seconds where the vendor named them."""

    def __init__(self, happened: str, retry_after: float | None = None) -> None:
        super().__init__(happened)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Connection:
    """Sends requests for one slot; `http` is the transport: TLS, redirects and timeouts."""

    http: httpx.Client
    pauses: Pauses
    slot: str

    def send(self, step: str, request: httpx.Request, is_answer: Callable[[Answer], bool] = never) -> Answer:
        """Return the vendor's answer; retry transient statuses, except for answers that `is_answer` accepts.

        Raises:
            VendorUnavailableError: All attempts were spent.
            AnswerNotUnderstoodError: The answer is larger than any answer can be.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_TransientError),
            stop=_stop,
            wait=self._pause,
            sleep=self.pauses.sleep,
            reraise=True,
        )
        try:
            return retrying(self._send_once, step, request, is_answer)
        except _TransientError as error:
            happened = f"{error}, {ATTEMPTS} times" if error.retry_after is None else str(error)
        advice = "If this goes on, ask the vendor's support."
        raise VendorUnavailableError(self.slot, step, happened, advice)

    def _pause(self, state: RetryCallState) -> float:
        asked_for = _retry_after(state)
        if asked_for is not None:
            return asked_for
        return wait_random_exponential(multiplier=self.pauses.first_seconds, max=_LONGEST_PAUSE)(state)

    def _send_once(self, step: str, request: httpx.Request, is_answer: Callable[[Answer], bool]) -> Answer:
        try:
            with closing(self.http.send(request, stream=True)) as response:
                body = self._body(step, response)
        except httpx.HTTPError as error:
            happened = type(error).__name__  # its text could hold the address
        else:
            answer = Answer(response.status_code, body, sent_at(response.headers.get("date")))
            if answer.status in _TRANSIENT and not is_answer(answer):
                raise _TransientError(f"the vendor answered {answer.status}", _seconds(response, answer))
            return answer
        raise _TransientError(f"the request ended with {happened}")

    def _body(self, step: str, response: httpx.Response) -> bytes:
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                happened = f"an answer of more than {MAX_ANSWER_BYTES >> 20} MB"
                raise AnswerNotUnderstoodError(self.slot, step, happened, "Ask the vendor's support what it sends.")
        return bytes(body)


def _stop(state: RetryCallState) -> bool:
    asked_for = _retry_after(state)
    return stop_after_attempt(ATTEMPTS)(state) or (asked_for is not None and asked_for > _LONGEST_PAUSE)


def _retry_after(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, _TransientError) else None


def _seconds(response: httpx.Response, answer: Answer) -> float | None:
    """Read Retry-After, in seconds or as a date by the vendor's clock."""
    header = response.headers.get("retry-after", "").strip()
    if header.isdecimal():
        return float(header)
    until = sent_at(header)
    if until is None or answer.sent_at is None:
        return None
    return max(0.0, (until - answer.sent_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Credentials:
    """Client id and secret of the vendor; not shown in a representation."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


class CredentialsSource(Protocol):
    """Keeps the credentials."""

    def current(self) -> Credentials:
        """Return them, from memory if they were read before."""

    def renewed(self) -> Credentials:
        """Read them again: they may have been rotated."""


@dataclass(slots=True)
class Tokens:
    """The token of a process, got with the credentials, and with renewed ones when the vendor refuses those.

    `url` is that of the token service; `last` is the last token, valid or not, empty while there was none.
    """

    url: str
    credentials: CredentialsSource
    clock: Callable[[], datetime]
    last: str = field(default="", repr=False)
    _expires_at: datetime | None = None

    def token(self, connection: Connection) -> str:
        """Return a token that is valid for some minutes yet; `connection` asks for a new one.

        Raises:
            CredentialsRefusedError: The vendor refuses the credentials, also when read again.
            VendorUnavailableError: It does not answer.
            AnswerNotUnderstoodError: It answers without a token.
        """
        is_valid = self._expires_at is not None and self.clock() < self._expires_at - _MARGIN
        return self.last if is_valid else self._new_token(connection)

    def drop(self) -> None:
        """Forget the token: the vendor does not accept it any more."""
        self._expires_at = None

    def _new_token(self, connection: Connection) -> str:
        answer = connection.send("token", self._request(self.credentials.current()))
        if answer.status in _REFUSALS:
            answer = connection.send("token", self._request(self.credentials.renewed()))
        if answer.status in _REFUSALS:
            raise refused(connection.slot, "token", answer.status)
        token = answer.text("access_token")
        if answer.status != httpx.codes.OK or token is None:
            happened = f"the vendor answered {answer.status} without a token"
            raise AnswerNotUnderstoodError(connection.slot, "token", happened, "Ask the vendor's support.")
        lifetime = timedelta(seconds=_lifetime_seconds(answer.document().get("expires_in")))
        self.last, self._expires_at = token, self.clock() + lifetime
        return token

    def _request(self, credentials: Credentials) -> httpx.Request:
        form = {"grant_type": "client_credentials", "scope": "datalake"}
        secret = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
        return httpx.Request("POST", f"{self.url}/connect/token", data={**form, **secret})


def refused(slot: str, step: str, status: int) -> CredentialsRefusedError:
    """Return the error for credentials that the vendor refuses."""
    advice = "The secret was rotated or revoked: put the vendor's current values into it, then run the export again."
    return CredentialsRefusedError(slot, step, f"the vendor refuses our credentials ({status})", advice)


def _lifetime_seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or value <= 0:
        return _DEFAULT_SECONDS
    return float(min(value, _LONGEST_SECONDS))
