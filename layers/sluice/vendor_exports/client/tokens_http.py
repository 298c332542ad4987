"""Access tokens: asked for once, kept until shortly before they expire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from sluice.vendor_exports.client.connection_http import Connection
from sluice.vendor_exports.client.errors import AnswerNotUnderstoodError, CredentialsRefusedError

_MARGIN = timedelta(minutes=5)  # a token this close to its end is not used for a new request
_REFUSALS = frozenset({400, 401, 403})  # OAuth says 400 or 401 of wrong credentials
_DEFAULT_SECONDS = 600
_LONGEST_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the vendor knows us by; never shown."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


class CredentialsSource(Protocol):
    """Where the credentials are kept."""

    def current(self) -> Credentials:
        """Return them, from memory if they were read before."""

    def renewed(self) -> Credentials:
        """Read them again: they may have been rotated."""


@dataclass(slots=True)
class TokenCache:
    """The token of a process; `clock` gives the time in UTC."""

    clock: Callable[[], datetime]
    _token: str = field(default="", repr=False)
    _expires_at: datetime | None = None

    def token(self) -> str | None:
        """Return the token if it still has some time to live."""
        alive = self._expires_at is not None and self.clock() < self._expires_at - _MARGIN
        return self._token if alive else None

    def last(self) -> str:
        """Return the last token, dead or alive; empty while there was none."""
        return self._token

    def keep(self, token: str, seconds: float) -> None:
        """Keep a new token that lives for so many seconds."""
        self._token, self._expires_at = token, self.clock() + timedelta(seconds=seconds)

    def drop(self) -> None:
        """Forget the token: the vendor does not accept it any more."""
        self._expires_at = None


class Tokens:
    """Gets tokens with the credentials, and with renewed ones when the vendor refuses those."""

    def __init__(
        self, connection: Connection, url: str, credentials: CredentialsSource, cache: TokenCache, slot: str
    ) -> None:
        """Bind connection, address of the token call, credentials and cache."""
        self._connection = connection
        self._url = f"{url}/connect/token"
        self._credentials = credentials
        self._cache = cache
        self._slot = slot

    def token(self) -> str:
        """Return a token that is valid for some minutes yet.

        Raises:
            CredentialsRefusedError: The vendor refuses the credentials, also when read again.
            VendorUnavailableError: It does not answer.
            AnswerNotUnderstoodError: It answers without a token.
        """
        return self._cache.token() or self._new_token()

    def last(self) -> str:
        """Return the last token of this process, dead or alive; empty while there was none."""
        return self._cache.last()

    def drop(self) -> None:
        """Forget the token."""
        self._cache.drop()

    def _new_token(self) -> str:
        answer = self._connection.send("token", self._request(self._credentials.current()))
        if answer.status in _REFUSALS:
            answer = self._connection.send("token", self._request(self._credentials.renewed()))
        if answer.status in _REFUSALS:
            raise refused(self._slot, "token", answer.status)
        token = answer.text("access_token")
        if answer.status != httpx.codes.OK or token is None:
            happened = f"the vendor answered {answer.status} without a token"
            raise AnswerNotUnderstoodError(self._slot, "token", happened, "Ask the vendor's support.")
        self._cache.keep(token, _seconds(answer.document().get("expires_in")))
        return token

    def _request(self, credentials: Credentials) -> httpx.Request:
        form = {"grant_type": "client_credentials", "scope": "datalake"}
        secret = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
        return httpx.Request("POST", self._url, data={**form, **secret})


def refused(slot: str, step: str, status: int) -> CredentialsRefusedError:
    """Say that the credentials are refused."""
    advice = "The secret was rotated or revoked: put the vendor's current values into it, then run the export again."
    return CredentialsRefusedError(slot, step, f"the vendor refuses our credentials ({status})", advice)


def _seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or value <= 0:
        return _DEFAULT_SECONDS
    return float(min(value, _LONGEST_SECONDS))
