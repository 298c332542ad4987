"""A vendor that answers what a test says, and the client that talks to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from sluice.vendor_exports.client.api import Pauses
from sluice.vendor_exports.client.client_http import Endpoints, VesonClient
from sluice.vendor_exports.client.connection_http import Connection, Credentials, Tokens

NOW = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
SLOT = "20260301-12"
ENDPOINTS = Endpoints("https://auth.test", "https://export.test", "https://files.test", "ACME")

SECRETS = ("SECRET/one +", "SECRET-two", "TOKEN-1", "TOKEN-2", "SIGNATURE")
"""Secrets that no text may hold."""

Answer = httpx.Response | Exception
Script = Answer | Callable[[httpx.Request], Answer]


def said(status: int = 200, document: Any = None, **headers: str) -> httpx.Response:
    """An answer with a JSON body, and a Date header unless told otherwise."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=orjson.dumps(document), headers={"date": http_date(NOW)} | named)


def http_date(moment: datetime) -> str:
    return f"{moment:%a, %d %b %Y %H:%M:%S GMT}"


def _unread(answer: httpx.Response) -> Any:
    return httpx.ByteStream(answer.content) if answer.is_closed else answer.stream


@dataclass
class Vendor:
    """Gives the answers of a script, one after the other; tokens it gives by itself where it is told to."""

    script: list[Script] = field(default_factory=list)
    gives_tokens: bool = True
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    tokens: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if self.gives_tokens and request.url.path == "/connect/token":
            self.tokens += 1
            answer: Script = said(document={"access_token": f"TOKEN-{self.tokens}", "expires_in": 3600})
        else:
            answer = self.script.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        # As a transport gives it: not read yet.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_unread(answer))

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    def connection(self) -> Connection:
        http = httpx.Client(transport=httpx.MockTransport(self), timeout=7)
        return Connection(http, Pauses(1.0, self.pauses.append), SLOT)


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


def texts(error: BaseException | None) -> Iterator[str]:
    """Every text of an error and of those before it."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args))
        yield from texts(error.__context__)
        error = error.__cause__


def assert_says_nothing_secret(error: BaseException) -> None:
    said = " ".join(texts(error))
    assert [word for word in (*SECRETS, "://", "SECRET") if word in said] == []
    assert SLOT in str(error)
