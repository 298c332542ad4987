"""Secrets, tokens and signatures, each with a marker that tests search for where it must not be."""

import secrets
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client's credentials (the secret is the apiToken too, the next one that after a rotation), and prefixes."""

    client_id: str = "simulated-client"
    client_secret: str = "SIMSECRET-first-4f1c9a"  # noqa: S105 - made up
    next_secret: str = "SIMSECRET-second-b7e203"  # noqa: S105 - made up
    token_marker: str = "SIMTOKEN"  # noqa: S105 - no token
    signature_marker: str = "SIMSIGNATURE"


class Grants:
    """Random texts that give access until they expire: tokens, and signatures of URLs."""

    def __init__(self, marker: str) -> None:
        self._marker = marker
        self._granted: dict[str, tuple[str, datetime]] = {}

    def issue(self, expiry: datetime, target: str = "") -> str:
        """Return a new text that gives access to the target, or to everything."""
        text = f"{self._marker}-{secrets.token_hex(16)}"
        self._granted[text] = target, expiry
        return text

    def is_valid(self, text: str, now: datetime, target: str = "") -> bool:
        """Return whether a text gives access to the target now."""
        granted, expiry = self._granted.get(text, ("", now))
        return now < expiry and granted == target

    def revoke_all(self) -> None:
        """Refuse all texts issued so far."""
        self._granted = {}
