"""Secrets, tokens and signatures, each with a marker that tests search for where it must not be."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client's credentials, and the prefixes of everything secret.

    Attributes:
        client_id: The client's name.
        client_secret: Its secret, which is the apiToken too.
        next_secret: The secret that is valid after a rotation.
        token_marker: Prefix of tokens.
        signature_marker: Prefix of the signatures of URLs.
    """

    client_id: str = "simulated-client"
    client_secret: str = "SIMSECRET-first-4f1c9a"  # noqa: S105 - made up
    next_secret: str = "SIMSECRET-second-b7e203"  # noqa: S105 - made up
    token_marker: str = "SIMTOKEN"  # noqa: S105 - no token
    signature_marker: str = "SIMSIGNATURE"


class Tokens:
    """The tokens handed out."""

    def __init__(self, marker: str) -> None:
        """Begin with none."""
        self._marker = marker
        self._expiry: dict[str, datetime] = {}

    def issue(self, now: datetime, lifetime: timedelta) -> str:
        """Hand out a token."""
        token = f"{self._marker}-{secrets.token_hex(16)}"
        self._expiry[token] = now + lifetime
        return token

    def is_valid(self, token: str, now: datetime) -> bool:
        """Return whether a token is accepted."""
        expiry = self._expiry.get(token)
        return expiry is not None and now < expiry

    def revoke_all(self) -> None:
        """Refuse all tokens issued so far."""
        self._expiry = {}


class Signatures:
    """Signs the URLs of files."""

    def __init__(self, marker: str) -> None:
        """Begin with a new key."""
        self._marker = marker
        self._key = secrets.token_bytes(32)

    def query(self, path: str, expiry: datetime) -> str:
        """Return the query that gives access to the path until `expiry`."""
        expires = f"{expiry.timestamp():.3f}"
        return f"expires={expires}&signature={self._sign(path, expires)}"

    def is_valid(self, path: str, query: dict[str, str], now: datetime) -> bool:
        """Return whether a query gives access to the path now."""
        expires = query.get("expires", "")
        if not hmac.compare_digest(self._sign(path, expires).encode(), query.get("signature", "").encode()):
            return False
        return now.timestamp() < float(expires)

    def revoke_all(self) -> None:
        """Refuse all URLs signed so far."""
        self._key = secrets.token_bytes(32)

    def _sign(self, path: str, expires: str) -> str:
        digest = hmac.new(self._key, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()
        return f"{self._marker}-{digest}"
