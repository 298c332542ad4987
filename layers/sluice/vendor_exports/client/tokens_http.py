"""Access tokens: asked for once, kept until shortly before they expire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from sluice.vendor_exports.client.connection_http import Connection
from sluice.vendor_exports.client.errors import AnswerNotUnderstoodError, CredentialsRefusedError

_MARGIN = timedelta(minutes=5)  # a token this close to its end is not used for a new request
_REFUSALS = frozenset({400, 401, 403})  # OAuth answers 400 or 401 to wrong credentials
_DEFAULT_SECONDS = 600
_LONGEST_SECONDS = 24 * 60 * 60


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
        lifetime = timedelta(seconds=_seconds(answer.document().get("expires_in")))
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


def _seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or value <= 0:
        return _DEFAULT_SECONDS
    return float(min(value, _LONGEST_SECONDS))
