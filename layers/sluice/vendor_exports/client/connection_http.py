"""Requests to the vendor, bounded and retried with jitter, and their access tokens; errors hold no secret."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx

from sluice.vendor_exports.client.api import (
    Answer,
    AnswerNotUnderstoodError,
    CredentialsRefusedError,
    Pauses,
    TransientError,
    VendorUnavailableError,
    sent_at,
)
from sluice.vendor_exports.client.bounded_http import AnswerRefusedError, Budget, body_of
from sluice.vendor_exports.client.documents import member, whole_number
from sluice.vendor_exports.client.redaction import Redactor
from sluice.vendor_exports.client.retrying import passes, retry_after, retrying

ATTEMPTS = 5
MAX_ANSWER_BYTES = 1024 * 1024
MAX_LIST_BYTES = 16 * 1024 * 1024
"""Most bytes of an answer, and of a list of files: the vendor's have some 100, and 2,000 for each of 300 files."""

_MARGIN = timedelta(minutes=5)  # a token this close to its end is not used for a new request
DENIALS = frozenset({401, 403, 419, 440, 498})
"""Statuses that servers give to a token or a secret that has expired or is another by now."""
_REFUSALS = DENIALS | {400}  # OAuth answers 400 or 401 to wrong credentials
_DEFAULT_SECONDS = 600
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)
_LONGEST_SECONDS = 24 * 60 * 60


def never(_answer: Answer) -> bool:
    """Take every transient status as a failure."""
    return False


@dataclass(frozen=True, slots=True)
class Connection:
    """Sends requests for one slot; `http` is the transport: TLS, redirects and timeouts.

    A request may take as many seconds in all, from connecting to its last byte, as its timeout says.
    """

    http: httpx.Client
    pauses: Pauses
    slot: str

    def send(
        self,
        step: str,
        request: httpx.Request,
        is_answer: Callable[[Answer], bool] = never,
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """Return the vendor's answer; retry transient statuses, except for answers that `is_answer` accepts.

        Raises:
            VendorUnavailableError: All attempts were spent.
            AnswerNotUnderstoodError: The answer is larger than any answer can be.
        """
        attempts = retrying(self.pauses, TransientError, ATTEMPTS)
        try:
            answer: Answer = attempts(self._send_once, request, is_answer, most_bytes)
        except AnswerRefusedError as error:
            raise AnswerNotUnderstoodError(self.slot, step, str(error), "Ask the vendor's support.") from None
        except TransientError as error:
            happened = f"{error}, {ATTEMPTS} times" if error.retry_after is None else str(error)
            asked = error.retry_after
        else:
            return answer
        advice = "If this goes on, ask the vendor's support."
        raise VendorUnavailableError(self.slot, step, happened, advice, retry_after=asked)

    def _send_once(self, request: httpx.Request, is_answer: Callable[[Answer], bool], most_bytes: int) -> Answer:
        request.headers["Accept-Encoding"] = "identity"
        request.extensions["budget"] = Budget(self.http.timeout.read or float("inf"), 2 * most_bytes)
        try:
            with closing(self.http.send(request, stream=True)) as response:
                if response.status_code == httpx.codes.MISDIRECTED_REQUEST:  # not read, so not sent this way again
                    raise TransientError(f"the vendor answered {response.status_code}")
                answer = _answer(response, body_of(response, most_bytes))
        except httpx.HTTPError as error:
            happened = type(error).__name__  # its text could hold the address
        else:
            asks_to_wait = answer.retry_after is not None and response.is_error and answer.status not in DENIALS
            if (passes(answer.status) or asks_to_wait) and not is_answer(answer):
                raise TransientError(f"the vendor answered {answer.status}", answer.retry_after)
            return answer
        raise TransientError(f"the request ended with {happened}")


def _answer(response: httpx.Response, body: bytes) -> Answer:
    sent = sent_at(response.headers.get("date"))
    asked = retry_after(response.headers.get("retry-after", ""), sent or datetime.now(UTC))
    charset = _CHARSET.search(response.headers.get("content-type", ""))
    return Answer(response.status_code, body, sent, asked, charset[1] if charset else "")


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

    `url` is that of the token service; `last` is the last token, valid or not, empty while there was none. What it gets
    and uses, the `redactor` learns.
    """

    url: str
    credentials: CredentialsSource
    clock: Callable[[], datetime]
    last: str = field(default="", repr=False)
    redactor: Redactor = field(default_factory=Redactor)
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
        """Forget the token, which the vendor does not accept any more: it, or the secret, may be another by now."""
        self._expires_at = None
        self.credentials.renewed()

    def secret(self, *, renewed: bool = False) -> str:
        """Return the client secret, read again if it shall be `renewed`."""
        return self._credentials(renewed=renewed).client_secret

    def _credentials(self, *, renewed: bool = False) -> Credentials:
        found = self.credentials.renewed() if renewed else self.credentials.current()
        self.redactor.learn(found.client_secret)
        return found

    def _new_token(self, connection: Connection) -> str:
        answer = connection.send("token", self._request(self._credentials()))
        if answer.status in _REFUSALS:
            answer = connection.send("token", self._request(self._credentials(renewed=True)))
        if answer.status in _REFUSALS:
            raise refused(connection.slot, "token", answer.status)
        token = answer.text("access_token")
        if not answer.is_success or token is None or not (token.isascii() and token.isprintable()):
            happened = f"the vendor answered {answer.status} without a token"
            raise AnswerNotUnderstoodError(connection.slot, "token", happened, "Ask the vendor's support.")
        self.redactor.learn(token)
        lifetime = timedelta(seconds=_lifetime_seconds(member(answer.document(), "expires_in")))
        self.last, self._expires_at = token, self.clock() + lifetime
        return token

    def _request(self, credentials: Credentials) -> httpx.Request:
        form = {"grant_type": "client_credentials", "scope": "datalake"}
        secret = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
        return httpx.Request("POST", f"{self.url}/connect/token", data={**form, **secret})


def refused(slot: str, step: str, status: int, words: str = "") -> CredentialsRefusedError:
    """Return the error for credentials that the vendor refuses, also when they are new; `words` are the vendor's."""
    said = f': "{words}"' if words else ""
    happened = f"the vendor refuses our credentials ({status}), new ones too{said}"
    advice = "The secret was rotated or revoked: put the vendor's current values into it, then run the export again."
    return CredentialsRefusedError(slot, step, happened, advice)


def _lifetime_seconds(value: object) -> float:
    seconds = whole_number(value) if isinstance(value, str) else value
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        return _DEFAULT_SECONDS
    return float(min(seconds, _LONGEST_SECONDS))
