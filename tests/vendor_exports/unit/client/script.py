"""A vendor that answers what a test says, and the client that talks to it."""

from dataclasses import dataclass, field

import httpx

from sluice.http.answers import Pauses
from sluice.vendor_exports.client.client_http import Endpoints, VesonClient
from sluice.vendor_exports.client.connection_http import Connection, Credentials, Tokens
from tests.support.scripted_server import NOW, Script, ScriptedServer, said, texts

SLOT = "20260301-12"
ENDPOINTS = Endpoints("https://auth.test", "https://export.test", "https://files.test", "ACME")

SECRETS = ("SECRET/one +", "SECRET-two", "TOKEN-1", "TOKEN-2", "SIGNATURE")
"""Secrets that no text may hold."""


@dataclass
class Vendor(ScriptedServer):
    """Gives the answers of a script; tokens it gives by itself where it is told to."""

    gives_tokens: bool = True
    tokens: int = 0

    def answer(self, request: httpx.Request) -> Script:
        if self.gives_tokens and request.url.path == "/connect/token":
            self.tokens += 1
            return said(document={"access_token": f"TOKEN-{self.tokens}", "expires_in": 3600})
        return self.script.pop(0)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    def connection(self) -> Connection:
        return Connection(self.client(), Pauses(1.0, self.pauses.append), SLOT)


@dataclass
class Secret:
    """Credentials that are others when they are read again."""

    secrets: list[str] = field(default_factory=lambda: list(SECRETS[:2]))
    read: int = 0

    def current(self) -> Credentials:
        return Credentials("id", self.secrets[min(self.read, len(self.secrets) - 1)])

    def renewed(self) -> Credentials:
        self.read += 1
        return self.current()


def client_of(vendor: Vendor, secret: Secret | None = None) -> VesonClient:
    tokens = Tokens(ENDPOINTS.auth, secret or Secret(), lambda: NOW)
    return VesonClient(vendor.connection(), ENDPOINTS, tokens, lambda: NOW)


def assert_says_nothing_secret(error: BaseException) -> None:
    said = " ".join(texts(error))
    assert [word for word in (*SECRETS, "://", "SECRET") if word in said] == []
    assert SLOT in str(error)
