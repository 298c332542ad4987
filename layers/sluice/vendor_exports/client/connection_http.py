"""Requests to the vendor, and their access tokens; errors hold no secret."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from sluice.http.answers import DENIALS, Answer, AnswerRefusedError, Pauses, TransientError
from sluice.http.documents import member, whole_number
from sluice.http.redaction import Redactor
from sluice.http.requests_http import MAX_ANSWER_BYTES, Sender, never
from sluice.vendor_exports.client.api import (
    AnswerNotUnderstoodError,
    CredentialsRefusedError,
    VendorUnavailableError,
)

MAX_LIST_BYTES = 16 * 1024 * 1024
"""Most bytes of a list of files: the vendor's has 2,000 for each of 300 files."""

_MARGIN = timedelta(minutes=5)  # a token this close to its end is not used for a new request
_REFUSALS = DENIALS | {400}  # OAuth answers 400 or 401 to wrong credentials
_DEFAULT_SECONDS = 600
_LONGEST_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Connection:
    """Sends requests for one slot by an HTTP client."""

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
        try:
            return Sender(self.http, self.pauses, "the vendor").send(request, is_answer, most_bytes)
        except AnswerRefusedError as error:
            raise AnswerNotUnderstoodError(self.slot, step, str(error), "Ask the vendor's support.") from None
        except TransientError as error:
            advice = "If this goes on, ask the vendor's support."
            raise VendorUnavailableError(self.slot, step, str(error), advice, retry_after=error.retry_after) from None


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
